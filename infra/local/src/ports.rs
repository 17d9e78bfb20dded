//! The sockets of a run, all bound before anything is built or started.

use std::{io::ErrorKind, net::TcpListener};

use anyhow::{Context, Result, anyhow};

use crate::emulators::{Listeners, bind};

/// Bound sockets. Early connections wait until the component behind the socket serves.
#[derive(Debug)]
pub struct Ports {
    /// The bridge's socket.
    pub gateway: TcpListener,
    /// The simulator's socket.
    pub simulator: TcpListener,
    /// The Runtime API's socket.
    pub runtime_api: TcpListener,
    /// The sockets of the AWS services.
    pub emulators: Listeners,
}

impl Ports {
    /// Binds the two given ports and all other sockets, all on 127.0.0.1.
    ///
    /// # Errors
    /// When a port is in use. The message is one sentence for the terminal that names the flag.
    pub fn bind(gateway: u16, simulator: u16) -> Result<Self> {
        Ok(Self {
            gateway: fixed(gateway, "--port")?,
            simulator: fixed(simulator, "--simulator-port")?,
            runtime_api: bind(0).context("no free port on 127.0.0.1")?,
            emulators: Listeners::bind().context("no free port on 127.0.0.1")?,
        })
    }
}

fn fixed(port: u16, flag: &str) -> Result<TcpListener> {
    bind(port).map_err(|error| match error.kind() {
        ErrorKind::AddrInUse => {
            anyhow!("port {port} on 127.0.0.1 is in use: stop what listens there, or choose another one with {flag}")
        }
        _ => anyhow!("cannot listen on 127.0.0.1:{port} ({error}): choose another port with {flag}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_error_for_a_port_in_use_is_one_line_naming_its_flag() {
        let held = bind(0).unwrap();
        let port = held.local_addr().unwrap().port();
        let refused = Ports::bind(0, port).unwrap_err().to_string();
        assert!(refused.contains(&format!("port {port} ")) && refused.contains("--simulator-port"), "{refused}");
        assert_eq!(refused.lines().count(), 1);
    }
}
