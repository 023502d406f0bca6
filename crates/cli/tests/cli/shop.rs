//! A small shop with a lock, over HTTP: what scenarios of a service are tried on.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

/// How a booking is written.
#[derive(Clone, Copy)]
pub(crate) enum Till {
    /// Whoever once had the lock books.
    TrustsTheLock,
    /// Whoever has it now books a slot that is free, and both are looked at in one step.
    AsksForTheLock,
}

/// A shop that is open until it is dropped.
pub(crate) struct Shop {
    address: SocketAddr,
    closed: Arc<AtomicBool>,
    books: Arc<Books>,
}

struct Books {
    till: Till,
    asked: AtomicU32,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// By slot: who has it, and since which of the shop's moments it is over.
    locks: BTreeMap<String, (String, Ends)>,
    drawn: u64,
    bookings: BTreeMap<String, Vec<Value>>,
}

/// Raised when the lock is over.
type Ends = Arc<AtomicBool>;

impl Shop {
    pub(crate) fn open(till: Till) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (asked, state) = (AtomicU32::new(0), Mutex::default());
        let (closed, books) =
            (Arc::new(AtomicBool::new(false)), Arc::new(Books { till, asked, state }));
        let (is_closed, at) = (Arc::clone(&closed), Arc::clone(&books));
        thread::spawn(move || {
            for stream in listener.incoming() {
                if is_closed.load(Ordering::SeqCst) {
                    return;
                }
                let (books, stream) = (Arc::clone(&at), stream.unwrap());
                // Until the customer hangs up.
                thread::spawn(move || while books.serve(&stream).is_some() {});
            }
        });
        Self { address, closed, books }
    }

    pub(crate) fn base(&self) -> String {
        format!("http://{}", self.address)
    }

    /// How many requests there were.
    pub(crate) fn asked(&self) -> u32 {
        self.books.asked.load(Ordering::SeqCst)
    }
}

impl Drop for Shop {
    fn drop(&mut self) {
        self.closed.store(true, Ordering::SeqCst);
        // What it waits for.
        drop(TcpStream::connect(self.address));
    }
}

impl Books {
    /// One request; none where there is no other.
    fn serve(&self, stream: &TcpStream) -> Option<()> {
        let mut reader = BufReader::new(stream);
        let mut line = String::new();
        reader.read_line(&mut line).ok().filter(|&length| length > 0)?;
        let mut length = 0;
        loop {
            let mut header = String::new();
            reader.read_line(&mut header).ok()?;
            if header.trim().is_empty() {
                break;
            }
            if let Some((name, value)) = header.split_once(':')
                && name.eq_ignore_ascii_case("content-length")
            {
                length = value.trim().parse().ok()?;
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).ok()?;
        let (method, path) = line.rsplit_once(' ')?.0.split_once(' ')?;
        let body = serde_json::from_slice(&body).unwrap_or(Value::Null);
        self.asked.fetch_add(1, Ordering::SeqCst);
        let (status, answer) = self.answer(method, path, &body);
        let answer = answer.to_string();
        let head = format!("HTTP/1.1 {status} x\r\ncontent-length: {}\r\n\r\n", answer.len());
        let mut writer = stream;
        writer.write_all(format!("{head}{answer}").as_bytes()).ok()
    }

    fn answer(&self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let mut state = self.state.lock().unwrap();
        let text = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
        let (slot, lock_id) = (text("slot"), text("lockId"));
        let holds = |state: &State, slot: &str, id: &str| {
            state
                .locks
                .get(slot)
                .is_some_and(|(owner, ends)| owner == id && !ends.load(Ordering::SeqCst))
        };
        match (method, path.rsplit_once('/').map_or(path, |(_, last)| last)) {
            ("POST", "locks") => {
                if state.locks.get(&slot).is_some_and(|(_, ends)| !ends.load(Ordering::SeqCst)) {
                    return (409, json!({ "reason": "locked" }));
                }
                state.drawn += 1;
                let (drawn, ends) = (state.drawn, Ends::default());
                state.locks.insert(slot, (format!("lock-{drawn}"), Arc::clone(&ends)));
                let ttl = Duration::from_millis(body["ttl"].as_u64().unwrap_or(0));
                thread::spawn(move || {
                    thread::park_timeout(ttl);
                    ends.store(true, Ordering::SeqCst);
                });
                (200, json!({ "lockId": format!("lock-{drawn}"), "token": drawn }))
            }
            ("POST", "bookings") => {
                let is_free = state.bookings.get(&slot).is_none_or(Vec::is_empty);
                let may = match self.till {
                    Till::TrustsTheLock => lock_id.starts_with("lock-"),
                    Till::AsksForTheLock => is_free && holds(&state, &slot, &lock_id),
                };
                if !may {
                    return (409, json!({ "reason": "taken" }));
                }
                state.drawn += 1;
                let id = format!("booking-{}", state.drawn);
                let row = json!({ "id": id, "customer": text("customer") });
                state.bookings.entry(slot).or_default().push(row);
                (201, json!({ "id": id }))
            }
            ("DELETE", id) => {
                let held = state.locks.iter().find(|(_, (owner, _))| owner == id);
                match held.map(|(slot, _)| slot.clone()) {
                    Some(slot) => {
                        state.locks.remove(&slot);
                        (200, json!({}))
                    }
                    None => (404, json!({})),
                }
            }
            ("GET", slot) => {
                let rows = state.bookings.get(slot).cloned().unwrap_or_default();
                (200, json!({ "bookings": rows }))
            }
            _ => (404, json!({})),
        }
    }
}
