// Node's redlock over ioredis against several servers: `node_redlock.cjs PORT…`. Ends with 0 only when all of it
// went well. CommonJS, since NODE_PATH says where the packages are.

const assert = require('node:assert/strict');
const { setTimeout: sleep } = require('node:timers/promises');
const Redis = require('ioredis');
const { default: Redlock, ExecutionError } = require('redlock');

const ONCE = { retryCount: 0 };

async function oneHolderAtATime(mine, theirs) {
  const lock = await mine.acquire(['slot:1'], 30_000);
  await assert.rejects(theirs.acquire(['slot:1'], 30_000, ONCE), ExecutionError);
  await lock.release();
  const next = await theirs.acquire(['slot:1'], 30_000);
  await assert.rejects(mine.release(lock, ONCE), ExecutionError, 'a stale release');
  await next.release();
}

async function extending(mine, _theirs, clients) {
  let lock = await mine.acquire(['slot:2'], 5_000);
  lock = await lock.extend(60_000);
  for (const client of clients) {
    const left = await client.pttl('slot:2');
    assert(left > 5_000 && left <= 60_000, `${left} ms are left`);
  }
  await lock.release();
  await assert.rejects(mine.extend(lock, 1_000), ExecutionError, 'nothing to extend');
}

async function expiry(mine, theirs, clients) {
  await mine.acquire(['slot:3'], 100);
  const successor = await theirs.acquire(['slot:3'], 30_000, { retryCount: 200, retryDelay: 20 });
  for (const client of clients) {
    assert.equal(await client.get('slot:3'), successor.value);
  }
  await successor.release();
}

async function severalResourcesAtOnce(mine, theirs) {
  const lock = await mine.acquire(['slot:4', 'slot:5'], 30_000);
  await assert.rejects(theirs.acquire(['slot:5', 'slot:6'], 30_000, ONCE), ExecutionError);
  await lock.release();
  await (await theirs.acquire(['slot:5', 'slot:6'], 30_000)).release();
}

async function keptAlive(mine) {
  await mine.using(['slot:7'], 600, { automaticExtensionThreshold: 400 }, async (signal) => {
    await sleep(1_000);
    assert(!signal.aborted, 'it was extended in time');
  });
}

async function contention(mine, theirs) {
  let [inside, most, sold] = [0, 0, 0];
  const sell = async (redlock) => {
    for (let booking = 0; booking < 5; booking += 1) {
      const lock = await redlock.acquire(['slot:8'], 30_000);
      inside += 1;
      most = Math.max(most, inside);
      await sleep(1);
      sold += 1;
      inside -= 1;
      await lock.release();
    }
  };
  await Promise.all([mine, theirs, mine, theirs].map(sell));
  assert.deepEqual([most, sold], [1, 20]);
}

async function main(ports) {
  const settings = { retryCount: 1_000, retryDelay: 5, retryJitter: 10 };
  const connect = () => ports.map((port) => new Redis(Number(port), '127.0.0.1'));
  const [ours, others] = [connect(), connect()];
  const [mine, theirs] = [new Redlock(ours, settings), new Redlock(others, settings)];
  for (const trial of [oneHolderAtATime, extending, expiry, severalResourcesAtOnce, keptAlive, contention]) {
    await trial(mine, theirs, ours);
    console.log(`redlock on ${ports.length} servers: ${trial.name}: ok`);
  }
  await Promise.all([...ours, ...others].map((client) => client.quit()));
}

main(process.argv.slice(2)).catch((error) => {
  console.error(error);
  process.exit(1);
});
