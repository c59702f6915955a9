//! `zkvm build`: from a guest's folder to its ELF files.

use std::fmt::Write as _;

use serde_json::json;
use zkvm_sdk::Program;

use crate::args::BuildArgs;
use crate::failure::{ExitCode, Failure};
use crate::guest;
use crate::output::Output;

pub(crate) fn run(args: &BuildArgs, output: &mut Output) -> Result<ExitCode, Failure> {
    let built = guest::build(&args.guest, &args.build, output)?;
    let mut human = String::new();
    let mut json = Vec::new();
    for guest in built.guests {
        let id = Program::from_file(&guest.path)?.id().to_string();
        let path = guest.path.display().to_string();
        let _ = writeln!(human, "{path}");
        output.say(format_args!("program id {id}"));
        json.push(json!({ "name": guest.name, "path": path, "program_id": id }));
    }
    output.answer(&human, &json!({ "guests": json }))?;
    Ok(ExitCode::Ok)
}
