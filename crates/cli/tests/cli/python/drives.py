"""toxiproxy-python against an API: `drives.py HOST PORT`. Ends with 0 only when all of it went well."""

import socket
import socketserver
import sys
import threading
import time

from toxiproxy import Toxiproxy
from toxiproxy.exceptions import InvalidToxic, NotFound, ProxyExists


class Echo(socketserver.BaseRequestHandler):
    def handle(self):
        while data := self.request.recv(65536):
            self.request.sendall(data)


class Server(socketserver.ThreadingTCPServer):
    daemon_threads = True


def connected(proxy):
    host, port = proxy.listen.rsplit(":", 1)
    return socket.create_connection((host, int(port)), timeout=20)


def echoes(proxy, data=b"hello"):
    """How long it took until all of it came back."""
    began = time.monotonic()
    with connected(proxy) as client:
        client.sendall(data)
        back = b""
        while len(back) < len(data):
            more = client.recv(65536)
            assert more, f"closed after {len(back)} of {len(data)} bytes"
            back += more
    assert back == data
    return time.monotonic() - began


def rejects(error, action):
    try:
        action()
    except error:
        return
    raise AssertionError(f"{action} should have raised {error.__name__}")


def a_server_that_runs(server, upstream):
    assert server.running() and b"2." in server.version()


def proxies(server, upstream):
    proxy = server.create(name="echo", upstream=upstream)
    assert (proxy.name, proxy.upstream, proxy.enabled) == ("echo", upstream, True)
    assert list(server.proxies()) == ["echo"] and server.get_proxy("none") is None
    rejects(ProxyExists, lambda: server.create(name="echo", upstream=upstream))
    echoes(proxy)


def switching_off(server, upstream):
    proxy = server.get_proxy("echo")
    with proxy.down():
        rejects(OSError, lambda: connected(proxy))
    echoes(proxy)


def latency(server, upstream):
    proxy = server.get_proxy("echo")
    proxy.add_toxic(type="latency", attributes={"latency": 80, "jitter": 0})
    assert list(proxy.toxics()) == ["latency_downstream"]
    toxic = proxy.get_toxic("latency_downstream")
    assert (toxic.attributes, toxic.toxicity) == ({"latency": 80, "jitter": 0}, 1)
    assert echoes(proxy) >= 0.08
    proxy.destroy_toxic("latency_downstream")
    assert proxy.toxics() == {}
    rejects(NotFound, lambda: proxy.destroy_toxic("latency_downstream"))


def all_toxics(server, upstream):
    proxy = server.get_proxy("echo")
    for kind, attributes in (
        ("bandwidth", {"rate": 1000}),
        ("slow_close", {"delay": 1}),
        ("slicer", {"average_size": 100, "size_variation": 50, "delay": 10}),
        ("packet_loss", {"loss": 0.5, "rto": 1}),
        ("noop", {}),
        ("redis_rule", {"command": "SET", "key": "a*", "nth": 1, "then": "drop-reply"}),
    ):
        for stream in ("upstream", "downstream"):
            proxy.add_toxic(type=kind, stream=stream, attributes=attributes)
    assert len(proxy.toxics()) == 12
    echoes(proxy, bytes(range(256)) * 20)
    rejects(ProxyExists, lambda: proxy.add_toxic(type="slicer", attributes={}))
    rejects(InvalidToxic, lambda: proxy.add_toxic(type="gremlin"))


def breaking(server, upstream):
    proxy = server.get_proxy("echo")
    server.reset()
    assert proxy.toxics() == {}
    proxy.add_toxic(type="limit_data", attributes={"bytes": 3})
    with connected(proxy) as client:
        client.sendall(b"hello")
        assert client.recv(65536) == b"hel" and client.recv(1) == b""
    server.reset()
    proxy.add_toxic(type="reset_peer", stream="upstream", attributes={"timeout": 0})
    with connected(proxy) as client:
        client.sendall(b"hello")
        rejects(ConnectionResetError, lambda: client.recv(1))
    server.reset()
    proxy.add_toxic(type="timeout", attributes={"timeout": 50})
    with connected(proxy) as client:
        client.sendall(b"hello")
        assert client.recv(1) == b"", "closed without a byte"
    server.reset()


def populating(server, upstream):
    wanted = [
        {"name": "one", "upstream": upstream, "listen": "127.0.0.1:0"},
        {"name": "two", "upstream": upstream, "listen": "127.0.0.1:0"},
    ]
    made = server.populate(wanted)
    assert [proxy.name for proxy in made] == ["one", "two"]
    for proxy in made:
        echoes(proxy)


def removing(server, upstream):
    server.destroy(server.get_proxy("one"))
    assert sorted(server.proxies()) == ["echo", "two"]
    server.destroy_all()
    assert server.proxies() == {}


def main(host, port):
    server = Toxiproxy()
    server.update_api_consumer(host, int(port))
    with Server(("127.0.0.1", 0), Echo) as echo:
        threading.Thread(target=echo.serve_forever, daemon=True).start()
        upstream = "127.0.0.1:%d" % echo.server_address[1]
        for scene in (
            a_server_that_runs,
            proxies,
            switching_off,
            latency,
            all_toxics,
            breaking,
            populating,
            removing,
        ):
            scene(server, upstream)
            print(f"{scene.__name__}: ok", flush=True)
        echo.shutdown()


main(*sys.argv[1:])
