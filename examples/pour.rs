//! Sends calls of Nest TCP to itself at a steady rate, for `bench/screen`: a lighter load than real
//! services, so that what is measured beside it has room.
//!
//! ```text
//! pour PORT CALLS_A_SECOND SECONDS CONNECTIONS
//! ```
//!
//! Every call is a frame of its own in a packet of its own, and so is its answer. Says how many
//! calls were answered.

use std::error::Error;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

/// Time between two bursts: a handful of calls each, as it is on a busy service.
const BURST: Duration = Duration::from_millis(2);

/// Bytes of a request and of a reply, header included: all are as long.
const REQUEST: usize = 58;
const REPLY: usize = 58;

/// Where the ten digits of the id begin in both.
const ID_IN_REQUEST: usize = 46;
const ID_IN_REPLY: usize = 46;
const ID: usize = 10;

type Failure = Box<dyn Error + Send + Sync>;

fn main() -> Result<(), Failure> {
    let words: Vec<u64> =
        std::env::args().skip(1).map(|word| word.parse()).collect::<Result<_, _>>()?;
    let &[port, rate, seconds, connections] = words.as_slice() else {
        return Err("usage: pour PORT CALLS_A_SECOND SECONDS CONNECTIONS".into());
    };
    let listener = TcpListener::bind(("127.0.0.1", u16::try_from(port)?))?;
    let mut sending = Vec::new();
    for _ in 0..connections {
        let client = TcpStream::connect(("127.0.0.1", u16::try_from(port)?))?;
        let (server, _) = listener.accept()?;
        client.set_nodelay(true)?;
        server.set_nodelay(true)?;
        let replies = client.try_clone()?;
        thread::spawn(move || answer(server));
        let reading = thread::spawn(move || count(replies));
        sending.push((client, reading));
    }
    let mut sent = 0_u64;
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(seconds) {
        let due = u64::try_from(began.elapsed().as_micros())? * rate / 1_000_000;
        while sent < due {
            let which = usize::try_from(sent % connections)?;
            sent += 1;
            let request = format!(
                r##"55#{{"pattern":"sum","data":[1,2,{:>6}],"id":"{sent:010}"}}"##,
                sent % 1_000_000
            );
            if let Some((client, _)) = sending.get_mut(which) {
                client.write_all(request.as_bytes())?;
            }
        }
        thread::sleep(BURST);
    }
    let mut answered = 0;
    for (client, reading) in sending {
        client.shutdown(std::net::Shutdown::Write)?;
        answered += reading.join().map_err(|_| "a reader panicked")?;
    }
    println!("{answered}");
    Ok(())
}

/// Answers every request of a connection, each in a packet of its own.
fn answer(mut server: TcpStream) -> Option<()> {
    let mut request = [0; REQUEST];
    let mut reply = *br##"55#{"response":123456,"isDisposed":true,"id":"0000000000"}"##;
    loop {
        server.read_exact(&mut request).ok()?;
        let id = request.get(ID_IN_REQUEST..)?.get(..ID)?;
        reply.get_mut(ID_IN_REPLY..)?.get_mut(..ID)?.copy_from_slice(id);
        server.write_all(&reply).ok()?;
    }
}

/// How many replies came.
fn count(mut replies: TcpStream) -> u64 {
    let mut reply = [0; REPLY];
    let mut count = 0;
    while replies.read_exact(&mut reply).is_ok() {
        count += 1;
    }
    count
}
