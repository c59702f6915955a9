//! `zkvm explain`: tells more about error codes.

use std::fmt::Write as _;

use serde_json::json;
use zkvm_sdk::Code;

use crate::args::ExplainArgs;
use crate::codes::{ENTRIES, Entry};
use crate::failure::{ExitCode, Failure};
use crate::output::Output;

pub(crate) fn run(args: &ExplainArgs, output: &mut Output) -> Result<ExitCode, Failure> {
    let chosen: Vec<&Entry> = match &args.code {
        None => ENTRIES.iter().collect(),
        Some(text) => {
            let digits = text
                .trim_start_matches(['z', 'Z'])
                .trim_start_matches(['k', 'K']);
            let number = digits.parse::<u16>().ok();
            let found = ENTRIES.iter().find(|entry| Some(entry.number) == number);
            let unknown = || {
                let cause = format!("`{text}` is not an error code");
                Failure::new(ExitCode::Usage, Code(901), cause)
            };
            vec![found.ok_or_else(unknown)?]
        }
    };
    let mut human = String::new();
    for entry in &chosen {
        let code = Code(entry.number);
        if args.code.is_some() {
            let _ = writeln!(
                human,
                "{code}: {}\n\n{}\n\nnext: {}",
                entry.title, entry.why, entry.next
            );
        } else {
            let _ = writeln!(human, "{code}  {}", entry.title);
        }
    }
    let json: Vec<_> = chosen
        .iter()
        .map(|entry| {
            json!({
                "code": Code(entry.number).to_string(),
                "title": entry.title,
                "why": entry.why,
                "next": entry.next,
            })
        })
        .collect();
    output.answer(&human, &json!({ "codes": json }))?;
    Ok(ExitCode::Ok)
}
