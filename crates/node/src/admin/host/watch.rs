//! `meridian health watch`: how checks stand, and each flip as it comes, until the client goes away
//! or the server ends. It holds on to no file, so that a server can be replaced meanwhile.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, bail};
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{Semaphore, watch};
use tokio::time::{self, MissedTickBehavior};

use crate::checkers::{Board, flip, row};
use crate::visible;

use super::{Answer, CLIENT_TIMEOUT};

/// How many may watch at the same time: they take slots of other commands.
static SEATS: Semaphore = Semaphore::const_new(4);
/// How often all is shown to those who want that.
const SHOWN_EVERY: Duration = Duration::from_secs(1);
/// The most checks that are shown, unhealthy ones first.
const ROWS_MAX: usize = 200;
/// The most flips of one moment that are told one by one.
const FLIPS_MAX: usize = 10_000;

/// Tells the client until there is nobody to tell. `screen` asks for all that is known once a
/// second, and not for flips.
pub(super) async fn run(
    board: &Arc<Board>,
    screen: bool,
    (input, output): (
        &mut (impl AsyncRead + Unpin),
        &mut (impl AsyncWrite + Unpin),
    ),
    mut ended: watch::Receiver<()>,
) -> Result<()> {
    let Ok(_seat) = SEATS.try_acquire() else {
        let message = "others watch already, as many as may".to_owned();
        return write(output, &Answer::Error { message }).await;
    };
    let mut flips = board.listen();
    tell(output, shown(board)).await?;
    let mut ticks = time::interval(SHOWN_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut nothing = [0; 64];
    loop {
        tokio::select! {
            _ = ended.changed() => {
                let result = json!({ "ended": "the server ends or is replaced" });
                return write(output, &Answer::Result(result)).await;
            }
            // A client says no more; it goes away.
            read = input.read(&mut nothing) => if read? == 0 {
                return Ok(());
            },
            _ = ticks.tick(), if screen => tell(output, shown(board)).await?,
            told = flips.recv() => match told {
                Ok(_) if screen => {}
                Ok(flips) => {
                    for each in flips.each().take(FLIPS_MAX) {
                        let flip = flip(board, flips.at, &flips.state, each);
                        tell(output, json!({ "flip": flip })).await?;
                    }
                    if let Some(more) = flips.len().checked_sub(FLIPS_MAX + 1) {
                        tell(output, json!({ "more_flips": more + 1 })).await?;
                    }
                }
                Err(RecvError::Lagged(missed)) => {
                    tell(output, json!({ "missed_batches": missed })).await?;
                }
                Err(RecvError::Closed) => bail!("nobody tells of flips any more"),
            },
        }
    }
}

/// How many checks there are by state, and the worst of them.
fn shown(board: &Board) -> Value {
    let state = board.state();
    let healthy = |healthy: bool| {
        let all = state.each();
        all.filter(move |(_, standing)| standing.health.is_healthy() == healthy)
    };
    let rows = healthy(false).chain(healthy(true)).take(ROWS_MAX);
    json!({
        "healthy": healthy(true).count(),
        "unhealthy": healthy(false).count(),
        "checks": rows.map(|(check, standing)| row(board, &state, check, standing)).collect::<Vec<_>>(),
    })
}

async fn tell(output: &mut (impl AsyncWrite + Unpin), what: Value) -> Result<()> {
    write(output, &Answer::Progress(what)).await
}

async fn write(output: &mut (impl AsyncWrite + Unpin), answer: &Answer) -> Result<()> {
    let line = serde_json::to_string(answer)?;
    let line = format!("{}\n", visible::json(&line));
    Ok(time::timeout(CLIENT_TIMEOUT, output.write_all(line.as_bytes())).await??)
}
