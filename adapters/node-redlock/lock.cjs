#!/usr/bin/env node
// Node's redlock over ioredis, as its documentation says, for Lockproof's lock `external` (docs/external-lock.md).
// CommonJS, so that NODE_PATH may say where the packages are.

const fs = require('node:fs');
const path = require('node:path');
const readline = require('node:readline');
const Redis = require('ioredis');
const { default: Redlock, ExecutionError, Lock, ResourceLockedError } = require('redlock');

const say = (message) => process.stdout.write(`${JSON.stringify(message)}\n`);

// The library draws its owner values by itself; here they are the workbench's, by which it withdraws.
class OwnedRedlock extends Redlock {
  _random() {
    return this.owner;
  }
}

let redlock;
const locks = new Map();
const lockOf = ({ key, owner }) => locks.get(owner) ?? new Lock(redlock, [key], owner, [], Infinity);

const handlers = {
  async open({ redis }) {
    const clients = redis.map((url) => new Redis(url));
    clients.forEach((client) => client.on('error', (error) => console.error(error.message)));
    // The workbench does the waiting for a lock that is held.
    redlock = new OwnedRedlock(clients, { retryCount: 0 });
    await majority(clients.map((client) => client.ping()));
    return 'opened';
  },
  async acquire({ key, owner, ttl_ms }) {
    redlock.owner = owner;
    locks.set(owner, await redlock.acquire([key], ttl_ms));
    return 'granted';
  },
  async renew(request) {
    locks.set(request.owner, await redlock.extend(lockOf(request), request.ttl_ms));
    return 'extended';
  },
  async release(request) {
    const lock = lockOf(request);
    locks.delete(request.owner);
    await redlock.release(lock);
    return 'released';
  },
  async withdraw(request) {
    await handlers.release(request);
    return 'withdrawn';
  },
};

const REFUSED = { acquire: 'held', renew: 'lost', release: 'lost', withdraw: 'withdrawn' };

function majority(promises) {
  return new Promise((resolve) => {
    let up = 0;
    const count = () => (up += 1) > promises.length / 2 && resolve();
    promises.forEach((promise) => promise.then(count, () => {}));
  });
}

// Whether the servers have said no, rather than nothing.
async function isRefusal(error) {
  if (!(error instanceof ExecutionError)) return false;
  if (error.attempts.length === 0) return true; // extending what has expired by the library's own clock
  const { votesAgainst } = await error.attempts.at(-1);
  return [...votesAgainst.values()].every((reason) => reason instanceof ResourceLockedError);
}

async function answer(request) {
  const { id, request: kind } = request;
  try {
    say({ id, answer: await handlers[kind](request) });
  } catch (error) {
    const refused = await isRefusal(error);
    say(refused ? { id, answer: REFUSED[kind] } : { id, answer: 'unknown', message: `${error}` });
  }
}

// Which the package does not export.
const manifest = path.join(path.dirname(require.resolve('redlock')), '../../package.json');
const { version } = JSON.parse(fs.readFileSync(manifest));
say({ protocol: 1, name: 'redlock (Node)', version, renews: true, fences: false, ttl_granularity_ms: 1 });
const lines = readline.createInterface({ input: process.stdin });
lines.on('line', (line) => answer(JSON.parse(line)));
lines.on('close', () => process.exit());
