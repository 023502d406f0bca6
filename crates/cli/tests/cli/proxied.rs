//! `lockproof proxy` as a user meets it.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};

use crate::toxiproxy::Proxied;
use crate::{Place, stderr};

#[test]
fn bytes_pass_the_api_answers_and_ctrl_c_frees_the_ports() {
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let upstream = server.local_addr().unwrap().to_string();
    let mut proxied = Proxied::start(&[
        "--listen",
        "127.0.0.1:0",
        "--upstream",
        &upstream,
        "--seed",
        "0x7",
        "--protocol",
        "redis",
    ]);
    assert_eq!(proxied.said("seed "), "0x7");
    let listen = proxied.said("listening on ").to_owned();
    let mut client = TcpStream::connect(&listen).unwrap();
    let (mut served, _) = server.accept().unwrap();
    client.write_all(b"PING").unwrap();
    let mut heard = [0; 4];
    served.read_exact(&mut heard).unwrap();
    assert_eq!(&heard, b"PING");

    let mut api = TcpStream::connect(proxied.api()).unwrap();
    api.write_all(b"GET /proxies/lockproof HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        .unwrap();
    let mut answer = String::new();
    api.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains(&listen), "{answer}");

    let api = proxied.api().to_owned();
    assert_eq!(proxied.interrupt(), Some(130));
    assert_eq!(served.read(&mut heard).unwrap(), 0);
    assert!(TcpStream::connect(listen).is_err() && TcpStream::connect(api).is_err());
}

#[test]
fn what_makes_no_proxy_is_refused_with_a_reason() {
    let place = Place::new();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = taken.local_addr().unwrap().to_string();
    let cases: [(&[&str], i32, &str); 5] = [
        (&["--listen", "127.0.0.1:0"], 2, "--upstream"),
        (&["--upstream", "127.0.0.1:1"], 2, "--listen"),
        (&["--listen", "127.0.0.1:0", "--upstream", "redis"], 2, "`redis` has no port; write"),
        (&["--api", &taken], 5, "cannot listen on"),
        (&["--api", "127.0.0.1:0", "--listen", &taken, "--upstream", "h:1"], 5, "cannot listen on"),
    ];
    for (arguments, code, why) in cases {
        let output = place.lockproof().arg("proxy").args(arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {}", stderr(&output));
        assert!(stderr(&output).contains(why), "{arguments:?}: {}", stderr(&output));
    }
}
