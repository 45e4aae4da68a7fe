//! The same data through dnspython, where a Python that has it is named in the environment.

use std::io::Write;
use std::process::{Command, Stdio};

use meridian_dns::RecordType;
use meridian_dns::rdata::text;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;

use super::values;

/// How many values of each type are compared.
const VALUES: usize = 300;

#[test]
fn dnspython_reads_our_text_as_the_same_bytes() {
    let Some(python) = std::env::var_os("MERIDIAN_TEST_PYTHON") else {
        // Not `println!`, which the test harness keeps to itself when a test passes.
        let told = "SKIPPED: MERIDIAN_TEST_PYTHON does not name a Python that has dnspython";
        writeln!(std::io::stderr(), "{told}").unwrap();
        return;
    };
    let mut runner = TestRunner::deterministic();
    let mut lines = String::new();
    for rtype in RecordType::ALL {
        let wires = values::wire(rtype);
        for _ in 0..VALUES {
            let wire = wires.new_tree(&mut runner).unwrap().current();
            let hex: String = wire.iter().map(|byte| format!("{byte:02x}")).collect();
            lines += &format!("{rtype}\t{}\t{hex}\n", text(rtype, &wire).unwrap());
        }
    }
    let script = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/rdata/dnspython_check.py"
    );
    let mut child = Command::new(python)
        .arg(script)
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    // The script reads everything before it writes, so that the pipes cannot block each other.
    child
        .stdin
        .take()
        .unwrap()
        .write_all(lines.as_bytes())
        .unwrap();
    assert!(
        child.wait().unwrap().success(),
        "dnspython disagrees, see above"
    );
}
