//! An admin command that takes a while: it says how far it has got before it answers.

use std::time::{Duration, Instant};

use anyhow::Result;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::net::UnixStream;
use tokio::time;

use super::command::Answer;

/// How long a client may take to take a line. One that does not misses what comes after; the
/// command goes on.
const CLIENT_TIMEOUT: Duration = Duration::from_secs(1);

/// The connection that a command came on.
pub(crate) struct Progress {
    stream: Option<UnixStream>,
    started: Instant,
    steps: Vec<Value>,
}

impl Progress {
    pub(super) fn new(stream: UnixStream) -> Self {
        Self {
            stream: Some(stream),
            started: Instant::now(),
            steps: Vec::new(),
        }
    }

    /// Milliseconds since the command came.
    pub(crate) fn ms(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// Says that a step is done.
    pub(crate) async fn step(&mut self, text: &str) {
        let ms = self.ms();
        tracing::info!(ms, "replacing: {text}");
        let step = json!({ "ms": ms, "step": text });
        self.steps.push(step.clone());
        self.write(&Answer::Progress(step)).await;
    }

    /// Answers the command, and ends the connection.
    pub(crate) async fn finish(mut self, outcome: Result<Value>) {
        let answer = match outcome {
            Ok(mut result) => {
                result["took_ms"] = self.ms().into();
                result["steps"] = std::mem::take(&mut self.steps).into();
                Answer::Result(result)
            }
            Err(error) => Answer::Error {
                message: format!("{error:#}"),
            },
        };
        self.write(&answer).await;
    }

    async fn write(&mut self, answer: &Answer) {
        let Some(stream) = &mut self.stream else {
            return;
        };
        let Ok(mut line) = serde_json::to_vec(answer) else {
            return;
        };
        line.push(b'\n');
        let written = time::timeout(CLIENT_TIMEOUT, stream.write_all(&line)).await;
        if !matches!(written, Ok(Ok(()))) {
            self.stream = None;
        }
    }
}
