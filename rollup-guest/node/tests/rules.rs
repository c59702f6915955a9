//! Every rule of a header and a body, broken one at a time in a valid block.

mod common;

use alloy_consensus::{Block, EthereumTxEnvelope, Header, SignableTransaction, TxLegacy};
use alloy_primitives::{B64, B256, Bloom, Bytes, Signature, U256};
use alloy_rlp::Decodable;
use zkvm_rollup_node::fixture::blockchain;
use zkvm_rollup_node::replay::{Chain, OwnedInput};
use zkvm_rollup_stf::block::{BLOCK_BYTES_MAX, Transaction};
use zkvm_rollup_stf::chain::{ChainConfig, Fork};
use zkvm_rollup_stf::claim::claim;
use zkvm_rollup_stf::{Failure, Field, InvalidBlock};

/// A valid block of a fork, with a transaction, and its parent.
fn valid(network: &str) -> Option<(OwnedInput, Header)> {
    let root = common::ethereum()?;
    let tests = root.join("eest-v5.4.0/blockchain_tests");
    for path in common::json_files(&tests) {
        for (_, test) in blockchain::read(&path).unwrap() {
            if test.network != network {
                continue;
            }
            let config = test.chain().unwrap();
            let mut chain = Chain::new(config, &test.genesis_rlp, &test.pre).unwrap();
            for block in &test.blocks {
                let Ok(added) = chain.add(&block.rlp) else {
                    break;
                };
                if !decode(&added.input.block).body.transactions.is_empty() {
                    let parent = Header::decode(&mut &added.input.headers[0][..]).unwrap();
                    return Some((added.input, parent));
                }
            }
        }
    }
    panic!("no block of {network}");
}

fn decode(bytes: &[u8]) -> Block<Transaction> {
    Block::decode(&mut &bytes[..]).unwrap()
}

/// Why the block is refused once it has been changed.
fn refusal(input: &OwnedInput, change: impl FnOnce(&mut Block<Transaction>)) -> InvalidBlock {
    let mut block = decode(&input.block);
    change(&mut block);
    let block: Bytes = alloy_rlp::encode(&block).into();
    match claim(
        &OwnedInput {
            block,
            ..input.clone()
        }
        .borrow(),
    ) {
        Err(Failure::Invalid(invalid)) => invalid,
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_field_of_a_header_is_bound() {
    for network in ["Paris", "Shanghai", "Cancun", "Prague", "Osaka"] {
        let Some((input, parent)) = valid(network) else {
            return;
        };
        let other = B256::repeat_byte(0xAB);
        let hash = |expected: Field, change: fn(&mut Header, B256)| {
            let got = refusal(&input, |block| change(&mut block.header, other));
            let is_it = matches!(
                got,
                InvalidBlock::Hash { field, got, .. } if (field, got) == (expected, other)
            );
            assert!(is_it, "{network}: {expected}: {got}");
        };
        hash(Field::ParentHash, |header, hash| header.parent_hash = hash);
        hash(Field::OmmersHash, |header, hash| header.ommers_hash = hash);
        hash(Field::StateRoot, |header, hash| header.state_root = hash);
        hash(Field::TransactionsRoot, |header, hash| {
            header.transactions_root = hash
        });
        hash(Field::ReceiptsRoot, |header, hash| {
            header.receipts_root = hash
        });
        if network != "Paris" {
            hash(Field::WithdrawalsRoot, |header, hash| {
                header.withdrawals_root = Some(hash)
            });
        }
        if network == "Prague" || network == "Osaka" {
            hash(Field::RequestsHash, |header, hash| {
                header.requests_hash = Some(hash)
            });
        }
        let number = |expected: Field, change: fn(&mut Header)| {
            let got = refusal(&input, |block| change(&mut block.header));
            let is_it = matches!(got, InvalidBlock::Number { field, .. } if field == expected);
            assert!(is_it, "{network}: {expected}: {got}");
        };
        number(Field::Number, |header| header.number += 1);
        number(Field::GasUsed, |header| header.gas_used -= 1);
        number(Field::BaseFee, |header| {
            header.base_fee_per_gas = header.base_fee_per_gas.map(|fee| fee + 1);
        });
        if !["Paris", "Shanghai"].contains(&network) {
            number(Field::BlobGasUsed, |header| {
                let used = header.blob_gas_used.unwrap();
                header.blob_gas_used = Some(if used == 0 { 1 << 17 } else { used - (1 << 17) });
            });
            number(Field::ExcessBlobGas, |header| {
                header.excess_blob_gas = header.excess_blob_gas.map(|gas| gas + 1);
            });
            let blob_gas = |gas: u64| refusal(&input, |it| it.header.blob_gas_used = Some(gas));
            for gas in [1, (1 << 17) - 1, 10 << 17] {
                assert!(
                    matches!(blob_gas(gas), InvalidBlock::BlobGas { .. }),
                    "{network}: {gas}"
                );
            }
        }
        let got = refusal(&input, |block| {
            block.header.logs_bloom = Bloom::repeat_byte(1)
        });
        assert_eq!(got, InvalidBlock::LogsBloom, "{network}");
        let got = refusal(&input, |block| block.header.difficulty = U256::ONE);
        assert_eq!(
            got,
            InvalidBlock::NotZero {
                field: Field::Difficulty
            },
            "{network}"
        );
        let got = refusal(&input, |block| block.header.nonce = B64::repeat_byte(1));
        assert_eq!(
            got,
            InvalidBlock::NotZero {
                field: Field::Nonce
            },
            "{network}"
        );
        let got = refusal(&input, |block| block.header.extra_data = vec![0; 33].into());
        assert_eq!(got, InvalidBlock::ExtraData { len_bytes: 33 }, "{network}");
        let got = refusal(&input, |block| block.header.timestamp = parent.timestamp);
        assert!(
            matches!(got, InvalidBlock::Timestamp { .. }),
            "{network}: {got}"
        );
        let got = refusal(&input, |block| {
            block.header.gas_used = block.header.gas_limit + 1
        });
        assert!(
            matches!(got, InvalidBlock::GasUsed { .. }),
            "{network}: {got}"
        );
    }
}

#[test]
fn gas_limits_change_slowly() {
    let Some((input, parent)) = valid("Cancun") else {
        return;
    };
    let step = parent.gas_limit / 1024;
    let limit = |limit: u64| refusal(&input, |block| block.header.gas_limit = limit);
    for gas_limit in [
        parent.gas_limit + step,
        parent.gas_limit - step,
        4_999,
        0,
        u64::MAX,
    ] {
        let got = limit(gas_limit);
        assert_eq!(
            got,
            InvalidBlock::GasLimit {
                parent: parent.gas_limit,
                got: gas_limit
            }
        );
    }
    // One less is allowed. It is another block then, which is valid too or has another state.
    let mut block = decode(&input.block);
    block.header.gas_limit = parent.gas_limit + step - 1;
    let block: Bytes = alloy_rlp::encode(&block).into();
    let got = claim(&OwnedInput { block, ..input }.borrow());
    assert!(
        !matches!(got, Err(Failure::Invalid(InvalidBlock::GasLimit { .. }))),
        "{got:?}"
    );
}

#[test]
fn a_header_has_the_fields_of_its_fork() {
    let Some((cancun, _)) = valid("Cancun") else {
        return;
    };
    let got = refusal(&cancun, |block| {
        block.header.requests_hash = Some(B256::ZERO)
    });
    assert_eq!(
        got,
        InvalidBlock::Presence {
            field: Field::RequestsHash,
            is_expected: false
        }
    );
    let with = |fork| OwnedInput {
        chain: ChainConfig::always(1, fork),
        ..cancun.clone()
    };
    let got = refusal(&with(Fork::Prague), |_| {});
    assert_eq!(
        got,
        InvalidBlock::Presence {
            field: Field::RequestsHash,
            is_expected: true
        }
    );
    let got = refusal(&with(Fork::Shanghai), |_| {});
    assert_eq!(
        got,
        InvalidBlock::Presence {
            field: Field::BlobGasUsed,
            is_expected: false
        }
    );
    let got = refusal(&with(Fork::Paris), |_| {});
    assert_eq!(
        got,
        InvalidBlock::Presence {
            field: Field::WithdrawalsRoot,
            is_expected: false
        }
    );
}

#[test]
fn a_body_is_that_of_its_header() {
    let Some((input, _)) = valid("Osaka") else {
        return;
    };
    let got = refusal(&input, |block| {
        let _ = block.body.transactions.pop();
    });
    assert!(
        matches!(
            got,
            InvalidBlock::Hash {
                field: Field::TransactionsRoot,
                ..
            }
        ),
        "{got}"
    );
    let got = refusal(&input, |block| block.body.withdrawals = None);
    assert_eq!(got, InvalidBlock::Withdrawals { is_expected: true });
    let got = refusal(&input, |block| {
        let mut list = block.body.withdrawals.take().unwrap_or_default();
        list.push(Default::default());
        block.body.withdrawals = Some(list);
    });
    assert!(
        matches!(
            got,
            InvalidBlock::Hash {
                field: Field::WithdrawalsRoot,
                ..
            }
        ),
        "{got}"
    );
    let got = refusal(&input, |block| block.body.ommers.push(Header::default()));
    assert_eq!(got, InvalidBlock::Ommers { count: 1 });
    let got = refusal(&input, |block| {
        let transaction = TxLegacy {
            input: vec![1; BLOCK_BYTES_MAX].into(),
            ..TxLegacy::default()
        };
        let signature = Signature::new(U256::ONE, U256::ONE, false);
        let signed = transaction.into_signed(signature);
        block
            .body
            .transactions
            .push(EthereumTxEnvelope::Legacy(signed));
    });
    assert!(
        matches!(
            got,
            InvalidBlock::Size {
                max: BLOCK_BYTES_MAX,
                ..
            }
        ),
        "{got}"
    );
}

#[test]
fn bytes_have_one_reading() {
    let Some((input, _)) = valid("Prague") else {
        return;
    };
    let bytes = input.block.to_vec();
    // The last is the list's length with a zero before it.
    let mut long = bytes.clone();
    long[0] += 1;
    long.insert(1, 0);
    for bytes in [
        &bytes[1..],
        &bytes[..bytes.len() - 1],
        &[&bytes[..], &[0]].concat(),
        &long,
        &[],
    ] {
        let block = Bytes::copy_from_slice(bytes);
        let got = claim(
            &OwnedInput {
                block,
                ..input.clone()
            }
            .borrow(),
        );
        let is_it = matches!(got, Err(Failure::Invalid(InvalidBlock::Encoding { .. })));
        assert!(is_it, "{got:?}");
    }
}
