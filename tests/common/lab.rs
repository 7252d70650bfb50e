//! Traffic on the loopback for what captures live: a service of the test itself, and the lab's
//! load.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;

/// A service that answers frames with frames, and a client of it: no Nest, but its bytes.
pub struct Talk {
    client: TcpStream,
    pub port: u16,
}

impl Talk {
    /// Connects the two.
    pub fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let client = TcpStream::connect(("127.0.0.1", port)).unwrap();
        client.set_nodelay(true).unwrap();
        let (mut server, _) = listener.accept().unwrap();
        thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(count @ 1..) = server.read(&mut buffer) {
                let request = String::from_utf8_lossy(&buffer[..count]).into_owned();
                let id = request.rsplit_once("\"id\":").unwrap().1.trim_end_matches('}');
                let body = format!(r#"{{"response":6,"isDisposed":true,"id":{id}}}"#);
                if server.write_all(format!("{}#{body}", body.len()).as_bytes()).is_err() {
                    break;
                }
            }
        });
        Self { client, port }
    }

    /// Makes a call of `sum` with this id, and waits for its answer.
    pub fn call(&mut self, id: &str) {
        let body = format!(r#"{{"pattern":"sum","data":[1,2,3],"id":"{id}"}}"#);
        self.client.write_all(format!("{}#{body}", body.len()).as_bytes()).unwrap();
        let mut answer = [0; 4096];
        assert!(self.client.read(&mut answer).unwrap() > 0);
    }
}

/// The lab's load with its packages; `None` where they cannot be had.
pub fn lab() -> Option<PathBuf> {
    let lab = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/lab");
    let version = Command::new("node").arg("--version").output();
    if version.is_err() {
        eprintln!("skipped: node is not there");
        return None;
    }
    let folder = lab.join("v11");
    if !folder.join("node_modules").exists() {
        let installed = Command::new("npm").args(["ci"]).current_dir(&folder).output();
        if !installed.as_ref().is_ok_and(|output| output.status.success()) {
            eprintln!("skipped: npm cannot install the lab's packages: {installed:?}");
            return None;
        }
    }
    Some(lab)
}

/// A port that nobody uses.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}
