"""redis-py's own Lock against a server: `redis_py_lock.py PORT`. Ends with 0 only when all of it went well."""

import sys
import threading
import time

import redis
from redis.exceptions import LockError, LockNotOwnedError


def clients(port, protocol):
    return [redis.Redis(port=port, protocol=protocol, socket_timeout=10) for _ in range(2)]


def rejects(error, action):
    try:
        action()
    except error:
        return
    raise AssertionError(f"{action} should have raised {error.__name__}")


def one_holder_at_a_time(mine, theirs):
    lock = mine.lock("slot:1", timeout=30)
    other = theirs.lock("slot:1", timeout=30, blocking=False)
    assert lock.acquire() and lock.locked() and lock.owned()
    assert not other.acquire() and not other.owned()
    assert not theirs.lock("slot:1", blocking_timeout=0.2, sleep=0.05).acquire(), "it waits in vain"
    lock.release()
    assert not lock.locked() and other.acquire()
    rejects(LockError, lock.release)
    other.release()


def extending(mine, theirs):
    lock = mine.lock("slot:2", timeout=5)
    assert lock.acquire()
    assert lock.extend(20) and 20_000 < mine.pttl("slot:2") <= 25_000
    assert lock.extend(10, replace_ttl=True) and 5_000 < mine.pttl("slot:2") <= 10_000
    assert lock.reacquire() and mine.pttl("slot:2") <= 5_000
    theirs.delete("slot:2")
    for stale in (lambda: lock.extend(1), lock.reacquire, lock.release):
        rejects(LockNotOwnedError, stale)
        lock.local.token = lock.local.token or b"mine"


def expiry(mine, theirs):
    lock = mine.lock("slot:3", timeout=0.1)
    assert lock.acquire()
    successor = theirs.lock("slot:3", timeout=30, blocking_timeout=10, sleep=0.02)
    assert successor.acquire(), "a lease ends by itself"
    assert not lock.owned()
    rejects(LockNotOwnedError, lock.release)
    assert successor.owned(), "a stale release leaves the successor's alone"
    successor.release()


def contention(mine, theirs):
    inside, most, sold = [0], [0], [0]

    def sell(client):
        for _ in range(10):
            with client.lock("slot:4", timeout=30, sleep=0.001):
                inside[0] += 1
                most[0] = max(most[0], inside[0])
                time.sleep(0.0005)
                sold[0] += 1
                inside[0] -= 1

    threads = [threading.Thread(target=sell, args=(client,)) for client in (mine, theirs) * 3]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (most[0], sold[0]) == (1, 60), (most[0], sold[0])


TRIALS = (one_holder_at_a_time, extending, expiry, contention)

if __name__ == "__main__":
    for protocol in (2, 3):
        both = clients(int(sys.argv[1]), protocol)
        for trial in TRIALS:
            trial(*both)
            print(f"redis-py {redis.__version__}, RESP{protocol}: {trial.__name__}: ok")
