//! One client's connection, and the one to the server that is made for it.

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::board::Board;
use crate::present::{Meeting, Present};
use crate::pump::Pump;
use crate::spec::Upstream;
use crate::toxic::{Cut, Direction};

/// Nobody answered at the upstream address. The client was reset.
#[derive(Debug)]
pub(crate) struct Unreachable;

/// Serves one connection to its end.
pub(crate) async fn serve(
    mut client: TcpStream,
    upstream: &Upstream,
    board: &Board,
    number: u64,
) -> Result<(), Unreachable> {
    let connected = match upstream {
        Upstream::Address(address) => TcpStream::connect(address).await,
        Upstream::Name(name) => TcpStream::connect(&**name).await,
    };
    let Ok(mut server) = connected else {
        reset(client);
        return Err(Unreachable);
    };
    for leg in [&client, &server] {
        // Nagle's algorithm would meet delayed ACKs in the middle: stalls of 40 ms that no toxic asked for. It can
        // only fail on a socket that is gone already, which the pump finds out.
        let _ = leg.set_nodelay(true);
    }
    match pump(&mut client, &mut server, &Meeting::new(board, number)).await {
        Some(Cut::Reset) => {
            reset(client);
            reset(server);
        }
        Some(Cut::Close) => {
            // An error: that side is gone already.
            let _ = client.shutdown().await;
            let _ = server.shutdown().await;
        }
        None => {} // both ends were delivered
    }
    Ok(())
}

/// Moves the bytes of both directions in one task, and says whether the connection has to be cut in the end.
async fn pump(
    client: &mut TcpStream,
    server: &mut TcpStream,
    meeting: &Meeting<'_>,
) -> Option<Cut> {
    let (from_client, to_client) = client.split();
    let (from_server, to_server) = server.split();
    let upstream = Present::new(meeting, Direction::Upstream);
    let downstream = Present::new(meeting, Direction::Downstream);
    let ended = tokio::try_join!(
        Pump::new(from_client, to_server, upstream).run(),
        Pump::new(from_server, to_client, downstream).run(),
    );
    match ended {
        Err(cut) => Some(cut),
        Ok(_) => meeting.is_broken().then_some(Cut::Reset),
    }
}

/// Closes with an RST. Bytes that the peer has not acknowledged are lost with it.
fn reset(stream: TcpStream) {
    let _ = stream.set_zero_linger(); // fails only on a socket that is gone already
    drop(stream);
}
