//! Says at once, not after the whole compile, that libpcap is missing: the crate that needs it
//! links it only at the end, with a message of the linker.

use std::env;
use std::io::Write;
use std::process::{Command, Stdio};

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=LIBPCAP_LIBDIR");
    let is_cross = env::var_os("HOST") != env::var_os("TARGET");
    if env::var_os("CARGO_FEATURE_LIVE").is_some() && !is_cross && links_libpcap() == Some(false) {
        println!(
            "cargo::error=libpcap's development files are missing: `cc -lpcap` fails. \
             Debian, Ubuntu: sudo apt-get install libpcap-dev. Fedora: sudo dnf install libpcap-devel. \
             Arch: sudo pacman -S libpcap. Alpine: sudo apk add libpcap-dev. \
             Or without live capture: cargo install --locked --path . --no-default-features"
        );
    }
}

/// Whether a program can be linked with libpcap; `None` where this cannot be tried.
fn links_libpcap() -> Option<bool> {
    let program = format!("{}/links-libpcap", env::var("OUT_DIR").ok()?);
    let folder = env::var("LIBPCAP_LIBDIR").ok().map(|folder| format!("-L{folder}"));
    let mut cc = Command::new("cc")
        .args(["-x", "c", "-", "-o", &program])
        .args(folder)
        .arg("-lpcap")
        .stdin(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    cc.stdin.take()?.write_all(b"int main(void) { return 0; }\n").ok()?;
    Some(cc.wait().ok()?.success())
}
