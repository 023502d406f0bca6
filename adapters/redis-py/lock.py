#!/usr/bin/env python3
"""The Lock of redis-py, as its documentation says, for Lockproof's lock `external` (docs/external-lock.md)."""

import json
import sys

import redis
from redis.exceptions import LockNotOwnedError, RedisError


def say(**message):
    print(json.dumps(message), flush=True)


def connect(request):
    client = redis.Redis.from_url(request["redis"][0])
    client.ping()
    return client


def lock_of(client, request):
    """The library's lock, as it was when it was acquired: all that it keeps of that is the token."""
    lock = client.lock(request["key"], timeout=request.get("ttl_ms", 0) / 1000, blocking=False)
    lock.local.token = request["owner"].encode()
    return lock


def acquire(client, request):
    return "granted" if lock_of(client, request).acquire(token=request["owner"]) else "held"


def renew(client, request):
    lock_of(client, request).extend(request["ttl_ms"] / 1000, replace_ttl=True)
    return "extended"


def release(client, request):
    lock_of(client, request).release()
    return "released"


def main():
    say(protocol=1, name="redis-py", version=redis.__version__, renews=True, fences=False, ttl_granularity_ms=1)
    client = None
    for line in sys.stdin:
        request = json.loads(line)
        kind = request["request"]
        try:
            if kind == "open":
                client, answer = connect(request), "opened"
            elif kind == "withdraw":
                release(client, request)
                answer = "withdrawn"
            else:
                answer = {"acquire": acquire, "renew": renew, "release": release}[kind](client, request)
            say(id=request["id"], answer=answer)
        except LockNotOwnedError:
            say(id=request["id"], answer="withdrawn" if kind == "withdraw" else "lost")
        except RedisError as error:
            # It may have happened all the same.
            say(id=request["id"], answer="unknown", message=f"{type(error).__name__}: {error}")


if __name__ == "__main__":
    main()
