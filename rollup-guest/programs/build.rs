//! Builds the guest programs.

fn main() {
    zkvm_build::build_script("../guest");
}
