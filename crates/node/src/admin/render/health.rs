//! What was said of a health check by hand, and how to take it back.

use std::io::{Result, Write};

use serde_json::Value;

use super::cell;

/// `meridian health force`
pub(super) fn forced(out: &mut impl Write, said: &Value) -> Result<()> {
    let id = cell(&said["id"]);
    match &said["break_glass"] {
        Value::Null => {
            let (state, why) = state_and_reason(&said["switch"]);
            writeln!(out, "{id} is {state} until it is released: {why}")?;
            writeln!(out, "to take it back: meridian health release {id}")
        }
        document => {
            let (state, why) = state_and_reason(document);
            let until = cell(&document["until"]);
            writeln!(
                out,
                "{id} is {state} at this node alone until {until}: {why}"
            )?;
            writeln!(out, "kept {}", cell(&said["kept"]))?;
            writeln!(
                out,
                "to take it back: meridian health release {id} --break-glass"
            )
        }
    }
}

fn state_and_reason(said: &Value) -> (String, String) {
    (cell(&said["state"]), cell(&said["reason"]))
}

/// `meridian health release`
pub(super) fn released(out: &mut impl Write, released: &Value) -> Result<()> {
    let gone = &released["released"];
    let layers = [
        (&gone["switch"], "the switch"),
        (&gone["break_glass"], "break-glass at this node"),
    ];
    let gone: Vec<&str> = layers
        .into_iter()
        .filter(|(gone, _)| **gone == Value::Bool(true))
        .map(|(_, layer)| layer)
        .collect();
    let id = cell(&released["id"]);
    writeln!(out, "{id}: released {}", gone.join(" and "))
}
