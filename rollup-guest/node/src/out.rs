//! The rollup's public output in JSON, for people and for tools.

use alloy_primitives::{Address, B256, U256};
use serde::{Deserialize, Serialize};
use zkvm_rollup_stf::rollup::{Mode, Out, Verdict};

/// Names of verdicts, by their numbers.
const VERDICTS: [(Verdict, &str); 12] = [
    (Verdict::Ok, "ok"),
    (Verdict::Decode, "decode"),
    (Verdict::Link, "link"),
    (Verdict::Leader, "leader"),
    (Verdict::Signature, "signature"),
    (Verdict::Time, "time"),
    (Verdict::Forced, "forced"),
    (Verdict::Order, "order"),
    (Verdict::Transaction, "transaction"),
    (Verdict::Gas, "gas"),
    (Verdict::ZkGas, "zk-gas"),
    (Verdict::Mode, "mode"),
];

/// Names of modes.
const MODES: [(Mode, &str); 2] = [(Mode::Optimistic, "optimistic"), (Mode::Zk, "zk")];

macro_rules! out_fields {
    ($($name:ident: $type:ty),* $(,)?) => {
        /// [`Out`] with names in the place of numbers for its verdict and its mode.
        #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(deny_unknown_fields)]
        #[expect(missing_docs, reason = "the fields are explained where `Out` has them")]
        pub struct OutFields {
            $(pub $name: $type,)*
            pub verdict: String,
            pub required_mode: String,
        }

        impl From<Out> for OutFields {
            fn from(out: Out) -> Self {
                OutFields {
                    $($name: out.$name,)*
                    verdict: name_of(&VERDICTS, out.verdict).to_owned(),
                    required_mode: name_of(&MODES, out.required_mode).to_owned(),
                }
            }
        }

        impl OutFields {
            /// The output that these are the fields of; `None` if a name is unknown.
            #[must_use]
            pub fn out(&self) -> Option<Out> {
                Some(Out {
                    $($name: self.$name,)*
                    verdict: value_of(&VERDICTS, &self.verdict)?,
                    required_mode: value_of(&MODES, &self.required_mode)?,
                })
            }

            /// Names and values, the verdict and the mode last.
            #[must_use]
            pub fn list(&self) -> Vec<(&'static str, String)> {
                vec![
                    $((stringify!($name), self.$name.to_string()),)*
                    ("verdict", self.verdict.clone()),
                    ("required_mode", self.required_mode.clone()),
                ]
            }
        }
    };
}

out_fields! {
    domain: B256,
    batch_index: u64,
    first_block: u64,
    last_block: u64,
    batch_hash: B256,
    parent_batch_hash: B256,
    pre_block_hash: B256,
    pre_state_root: B256,
    post_block_hash: B256,
    post_state_root: B256,
    withdrawals_root: B256,
    chain_input_pre: B256,
    chain_input_post: B256,
    forced_pre: B256,
    forced_post: B256,
    forced_from: u64,
    forced_to: u64,
    set_hash: B256,
    seed: B256,
    l1_anchor: u64,
    l1_anchor_hash: B256,
    l1_anchor_time: u64,
    l1_time: u64,
    leader_fault_epoch: u64,
    value_at_risk: U256,
    leader: Address,
    prover: Address,
}

fn name_of<T: PartialEq>(names: &[(T, &'static str)], value: T) -> &'static str {
    let found = names.iter().find(|(it, _)| *it == value);
    found.map_or("unknown", |(_, name)| name)
}

fn value_of<T: Copy>(names: &[(T, &'static str)], name: &str) -> Option<T> {
    let found = names.iter().find(|(_, it)| *it == name);
    found.map(|(value, _)| *value)
}

#[cfg(test)]
mod tests {
    use alloy_primitives::{Address, B256, U256};
    use zkvm_rollup_stf::rollup::{Mode, Out, Verdict};

    use super::{OutFields, VERDICTS};

    fn out() -> Out {
        let hash = B256::repeat_byte;
        Out {
            domain: hash(1),
            batch_index: 2,
            first_block: 3,
            last_block: 4,
            batch_hash: hash(5),
            parent_batch_hash: hash(6),
            pre_block_hash: hash(7),
            pre_state_root: hash(8),
            post_block_hash: hash(9),
            post_state_root: hash(10),
            withdrawals_root: hash(11),
            chain_input_pre: hash(12),
            chain_input_post: hash(13),
            forced_pre: hash(14),
            forced_post: hash(15),
            forced_from: u64::MAX,
            forced_to: 17,
            set_hash: hash(18),
            seed: hash(19),
            l1_anchor: 20,
            l1_anchor_hash: hash(21),
            l1_anchor_time: 22,
            l1_time: 23,
            leader_fault_epoch: 24,
            verdict: Verdict::Ok,
            required_mode: Mode::Zk,
            value_at_risk: U256::MAX,
            leader: Address::repeat_byte(25),
            prover: Address::repeat_byte(26),
        }
    }

    #[test]
    fn outputs_survive_json_with_every_verdict() {
        for (number, (verdict, _)) in (0..).zip(VERDICTS) {
            assert_eq!(u64::from(verdict), number);
            let out = Out { verdict, ..out() };
            let json = serde_json::to_string(&OutFields::from(out)).unwrap();
            let read: OutFields = serde_json::from_str(&json).unwrap();
            assert_eq!(read.out(), Some(out));
        }
    }

    #[test]
    fn names_and_fields_that_are_unknown_are_refused() {
        let fields = OutFields {
            verdict: "fine".to_owned(),
            ..OutFields::from(out())
        };
        assert_eq!(fields.out(), None);
        let mut json = serde_json::to_value(OutFields::from(out())).unwrap();
        json["surplus"] = 1.into();
        assert!(serde_json::from_value::<OutFields>(json).is_err());
    }

    #[test]
    fn every_field_is_listed() {
        assert_eq!(OutFields::from(out()).list().len(), Out::WORDS);
    }
}
