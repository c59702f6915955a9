//! `zkvm id`: a program's identity.

use serde_json::json;

use crate::args::ProgramArgs;
use crate::failure::{ExitCode, Failure};
use crate::guest;
use crate::output::Output;

pub(crate) fn run(args: &ProgramArgs, output: &mut Output) -> Result<ExitCode, Failure> {
    let (_, program) = guest::load(args, output)?;
    let id = program.id().to_string();
    output.answer(&format!("{id}\n"), &json!({ "program_id": id }))?;
    Ok(ExitCode::Ok)
}
