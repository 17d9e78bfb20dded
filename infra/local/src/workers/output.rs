//! Copies the output of function processes to the terminal, prefixed with the function's name, and completely to a
//! file.

use std::{fs::File, io::Write, path::Path, sync::Arc};

use anyhow::{Context, Result};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, BufReader};

use crate::{clock, terminal::Terminal};

/// Longer lines are split, so that a function cannot exhaust this process's memory.
const LINE_BYTES_MAX: u64 = 64 * 1024;

/// The log file of a function, shared by its processes. Every start of the local run truncates it.
#[derive(Clone, Debug)]
pub(super) struct Log(Arc<File>);

impl Log {
    pub(super) fn create(path: &Path) -> Result<Self> {
        // Append mode, so that another run with the same log does not overwrite the middle of this run's lines.
        let file = File::options().create(true).append(true).open(path);
        let file = file.with_context(|| format!("cannot write {}", path.display()))?;
        file.set_len(0)?;
        Ok(Self(Arc::new(file)))
    }

    /// Uses one write per line, so that lines of several processes do not mix. A full disk must not stop the function.
    fn write(&self, pid: u32, line: &str) {
        drop((&*self.0).write_all(format!("{:.3} [{pid}] {line}\n", clock::now()).as_bytes()));
    }
}

/// Copies lines until the process closes its end.
pub(super) async fn copy(output: impl AsyncRead + Unpin, name: &'static str, pid: u32, log: Log, terminal: Terminal) {
    let mut output = BufReader::new(output);
    let mut line = Vec::new();
    loop {
        line.clear();
        match (&mut output).take(LINE_BYTES_MAX).read_until(b'\n', &mut line).await {
            Ok(0) | Err(_) => return,
            Ok(_) => {
                let text = String::from_utf8_lossy(&line);
                let text = text.trim_end();
                log.write(pid, text);
                if !text.is_empty() {
                    terminal.line(name, text);
                }
            }
        }
    }
}
