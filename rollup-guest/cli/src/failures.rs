//! What can go wrong with blocks and batches, as people meet it.

use std::fmt::Display;
use std::path::Path;

use zkvm_rollup_node::ImportError;
use zkvm_rollup_node::generate::GenerateError;
use zkvm_rollup_node::rpc::RpcError;
use zkvm_rollup_node::split::SplitError;
use zkvm_rollup_node::work::{WorkError, WorkInput};
use zkvm_rollup_stf::rollup::{BatchInput, FoldError};
use zkvm_sdk::Code;
use zkvm_terminal::escape;
use zkvm_terminal::failure::{ExitCode, Failure};

/// Something is wrong with the input.
pub(crate) fn input(code: Code, cause: impl Display) -> Failure {
    let cause = cause.to_string();
    Failure::new(ExitCode::Input, code, escape::line(&cause))
}

/// A file is no work file.
pub(crate) fn work(path: &Path, error: &WorkError) -> Failure {
    input(
        Code(602),
        format_args!("{} is no work file: {error}", path.display()),
    )
}

/// There is no claim about a block or a batch.
pub(crate) fn no_claim(error: &zkvm_rollup_stf::Failure) -> Failure {
    use zkvm_rollup_stf::Failure as Of;
    match error {
        Of::Invalid(rule) => input(Code(603), format_args!("the block is not valid: {rule}")),
        Of::Witness(missing) => input(
            Code(604),
            format_args!("the witness does not serve: {missing}"),
        ),
        Of::Evm { .. } => input(Code(605), error),
    }
}

/// Outputs do not compose.
pub(crate) fn apart(error: &FoldError) -> Failure {
    input(Code(617), error)
}

/// A batch cannot be cut into its blocks.
pub(crate) fn split(error: &SplitError) -> Failure {
    match error {
        SplitError::Refused { .. } => input(Code(618), error),
        SplitError::Failure(failure) => no_claim(failure),
        SplitError::Work(error) => input(Code(602), error),
    }
}

/// The batch in a work file, unless it is of something else.
pub(crate) fn whole_batch<'a, 'b>(
    path: &Path,
    work: &'a WorkInput<'b>,
) -> Result<&'a BatchInput<'b>, Failure> {
    let got = match work {
        WorkInput::Batch(batch) if batch.blocks.is_none() => return Ok(batch),
        WorkInput::Batch(_) => "some blocks of a batch",
        WorkInput::Block(_) => "a block of Ethereum",
        WorkInput::Range(_) => "a composition",
    };
    let path = path.display();
    let cause = format!("{path} is work of {got}, a whole batch is asked for");
    Err(input(Code(619), cause))
}

/// A failure with the file that it is about.
pub(crate) fn of_file(mut failure: Failure, path: &Path) -> Failure {
    let path = path.display().to_string();
    failure.details.push(format!("in {}", escape::line(&path)));
    failure
}

/// The generator of chains failed.
pub(crate) fn generator(error: &GenerateError) -> Failure {
    Failure::new(ExitCode::Bug, Code(900), error.to_string())
}

/// A fixture cannot be imported.
pub(crate) fn fixture(error: &ImportError) -> Failure {
    let code = match error {
        ImportError::Read { .. } => 201,
        ImportError::Json { .. } | ImportError::Content { .. } => 606,
    };
    input(Code(code), error)
}

/// The guest says something else than native validation.
pub(crate) fn differs() -> Failure {
    let cause = "the guest's claim is another than that of native validation";
    Failure::new(ExitCode::Bug, Code(900), cause)
}

/// A proof is not of what was demanded.
pub(crate) fn rejected(code: Code, cause: impl Display) -> Failure {
    let cause = cause.to_string();
    Failure::new(ExitCode::Rejected, code, escape::line(&cause))
}

/// A node does not give what is asked for.
pub(crate) fn rpc(error: &RpcError) -> Failure {
    let code = match error {
        RpcError::Unreachable { .. } => 608,
        RpcError::Status { .. } | RpcError::Refused { .. } => 609,
        RpcError::NoMethod { .. } => 610,
        RpcError::NoBlock { .. } => 611,
        RpcError::TooLong { .. }
        | RpcError::Null { .. }
        | RpcError::Form { .. }
        | RpcError::Hash { .. }
        | RpcError::Reorganized { .. }
        | RpcError::NoParent { .. } => 612,
        RpcError::Chain { .. } => 616,
    };
    input(Code(code), error)
}
