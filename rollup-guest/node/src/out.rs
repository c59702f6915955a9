//! Public outputs as text and as JSON, for people and for tools: names in the place of numbers for
//! verdicts and modes.

use alloy_primitives::{Address, B256, U256};
use serde_json::{Map, Value, json};
use zkvm_rollup_stf::WordKind;
use zkvm_rollup_stf::rollup::{Mode, Verdict};

/// Names of an output's fields, and what they are, as `FIELDS` of each kind of output has them.
pub type Fields = [(&'static str, WordKind)];

/// The words of an output with their names.
fn named<'a>(
    fields: &'a Fields,
    words: &'a [u8],
) -> impl Iterator<Item = (&'static str, WordKind, U256)> + 'a {
    let (words, _) = words.as_chunks::<32>();
    let numbers = words.iter().map(|word| U256::from_be_bytes(*word));
    fields
        .iter()
        .zip(numbers)
        .map(|((name, kind), word)| (*name, *kind, word))
}

/// Names and values.
#[must_use]
pub fn list(fields: &Fields, words: &[u8]) -> Vec<(&'static str, String)> {
    let text = |kind, word: U256| match kind {
        WordKind::Hash => B256::from(word).to_string(),
        WordKind::Number | WordKind::Amount => word.to_string(),
        WordKind::Address => Address::from_word(word.into()).to_string(),
        WordKind::Flag => (!word.is_zero()).to_string(),
        WordKind::Verdict => name(&Verdict::ALL, word, Verdict::name).to_owned(),
        WordKind::Mode => name(&Mode::ALL, word, Mode::name).to_owned(),
    };
    named(fields, words)
        .map(|(name, kind, word)| (name, text(kind, word)))
        .collect()
}

/// An object with all fields; amounts are hexadecimal.
#[must_use]
pub fn to_json(fields: &Fields, words: &[u8]) -> Value {
    let value = |kind, word: U256| match kind {
        WordKind::Hash => json!(B256::from(word)),
        WordKind::Number => json!(word.saturating_to::<u64>()),
        WordKind::Amount => json!(word),
        WordKind::Address => json!(Address::from_word(word.into())),
        WordKind::Flag => json!(!word.is_zero()),
        WordKind::Verdict => json!(name(&Verdict::ALL, word, Verdict::name)),
        WordKind::Mode => json!(name(&Mode::ALL, word, Mode::name)),
    };
    let entries =
        named(fields, words).map(|(name, kind, word)| (name.to_owned(), value(kind, word)));
    Value::Object(entries.collect::<Map<_, _>>())
}

/// The words of [`to_json`].
///
/// # Errors
/// What is wrong: a field is missing, unknown, or not of its kind.
pub fn from_json(fields: &Fields, json: &Value) -> Result<Vec<u8>, String> {
    let object = json.as_object().ok_or("it is no object")?;
    if let Some(unknown) = object
        .keys()
        .find(|key| !fields.iter().any(|(name, _)| name == key))
    {
        return Err(format!("it has an unknown field `{unknown}`"));
    }
    let mut words = Vec::with_capacity(32 * fields.len());
    for (name, kind) in fields {
        let value = object.get(*name).ok_or(format!("it has no `{name}`"))?;
        let word = word(*kind, value).ok_or(format!("`{name}` cannot be {value}"))?;
        words.extend_from_slice(word.as_slice());
    }
    Ok(words)
}

fn word(kind: WordKind, value: &Value) -> Option<B256> {
    let number = |number: usize| B256::from(U256::from(number));
    let position = |count: usize, name: &dyn Fn(usize) -> &'static str| {
        let text = value.as_str()?;
        (0..count).find(|index| name(*index) == text).map(number)
    };
    match kind {
        WordKind::Hash => serde_json::from_value(value.clone()).ok(),
        WordKind::Number => value.as_u64().map(|it| U256::from(it).into()),
        WordKind::Amount => serde_json::from_value::<U256>(value.clone())
            .ok()
            .map(B256::from),
        WordKind::Address => {
            let address: Address = serde_json::from_value(value.clone()).ok()?;
            Some(address.into_word())
        }
        WordKind::Flag => value.as_bool().map(|it| number(it.into())),
        WordKind::Verdict => position(Verdict::ALL.len(), &|at| Verdict::ALL[at].name()),
        WordKind::Mode => position(Mode::ALL.len(), &|at| Mode::ALL[at].name()),
    }
}

fn name<T: Copy>(all: &[T], word: U256, name: fn(T) -> &'static str) -> &'static str {
    let value = all.get(word.saturating_to::<usize>());
    value.map_or("unknown", |value| name(*value))
}

#[cfg(test)]
mod tests {
    use alloy_primitives::U256;
    use zkvm_rollup_stf::claim::BlockClaim;
    use zkvm_rollup_stf::rollup::{BlocksOut, Out, RangeOut, Verdict};

    use super::{Fields, from_json, list, to_json};

    /// Words in which no field is another's, and all are of their kinds.
    fn words(fields: &Fields) -> Vec<u8> {
        let word = |number: usize| U256::from(number).to_be_bytes::<32>();
        (0..fields.len()).flat_map(|at| word(at % 2)).collect()
    }

    #[test]
    fn outputs_survive_json() {
        let all: [&Fields; 4] = [
            &BlockClaim::FIELDS,
            &Out::FIELDS,
            &BlocksOut::FIELDS,
            &RangeOut::FIELDS,
        ];
        for fields in all {
            let words = words(fields);
            let json = to_json(fields, &words);
            assert_eq!(from_json(fields, &json), Ok(words.clone()));
            let list = list(fields, &words);
            let names: Vec<_> = fields.iter().map(|(name, _)| *name).collect();
            assert!(list.iter().map(|(name, _)| *name).eq(names.iter().copied()));
            // Every field is needed, and no other is known.
            for name in names {
                let mut fewer = json.clone();
                let _ = fewer.as_object_mut().unwrap().remove(name);
                assert_eq!(
                    from_json(fields, &fewer),
                    Err(format!("it has no `{name}`"))
                );
                let mut wrong = json.clone();
                wrong[name] = serde_json::Value::Null;
                let error = format!("`{name}` cannot be null");
                assert_eq!(from_json(fields, &wrong), Err(error));
            }
            let mut more = json;
            more["surplus"] = 1.into();
            assert!(from_json(fields, &more).unwrap_err().contains("surplus"));
        }
    }

    #[test]
    fn verdicts_have_their_names() {
        let at = Out::FIELDS.iter().position(|(name, _)| *name == "verdict");
        let at = at.unwrap();
        for (number, verdict) in (0..).zip(Verdict::ALL) {
            assert_eq!(u64::from(verdict), u64::from(number));
            let mut words = words(&Out::FIELDS);
            words[32 * at + 31] = number;
            let mut json = to_json(&Out::FIELDS, &words);
            assert_eq!(json["verdict"], verdict.name());
            assert_eq!(from_json(&Out::FIELDS, &json), Ok(words));
            json["verdict"] = "fine".into();
            assert!(from_json(&Out::FIELDS, &json).is_err());
        }
    }
}
