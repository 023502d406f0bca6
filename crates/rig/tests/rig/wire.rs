//! The unmodified client library in the simulated world: what the network does to its bytes.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{Either, select};
use lockproof_bookings::{Constraints, Layout};
use lockproof_env::Env;
use lockproof_locks::{Backends, LockSettings, RedisConnection};
use lockproof_model::HolderId;
use lockproof_rig::sim::{RedisDriver, SimRig};
use lockproof_rig::{
    Direction, Disturbance, Keeps, Link, LinkEffect, LinkUse, Rig, RigPlan, ServerEffect,
    ServerNeeds, System,
};
use lockproof_sim::Simulation;
use redis::{RedisResult, cmd, pipe};

const HOLDER: HolderId = HolderId(1);
/// Longer than any undisturbed answer takes.
const LONG: Duration = Duration::from_millis(50);

#[derive(Clone)]
struct World {
    env: Env,
    rig: Arc<SimRig>,
    backends: Arc<dyn Backends>,
}

impl World {
    async fn connection(&self) -> RedisConnection {
        self.backends.redis(0, HOLDER).await.expect("the server answers")
    }

    fn disturb(&self, effect: LinkEffect) -> Box<dyn Disturbance> {
        self.rig.disturb(&[Link::Redis(0)], &[], effect).expect("a simulated link can be disturbed")
    }

    /// What a crash of the server says, of which it is back at once.
    async fn crash(&self) -> Option<String> {
        let crash = ServerEffect::Crash { keeps: Keeps::Everything };
        let crashed =
            self.rig.afflict(&[Link::Redis(0)], crash).await.expect("a simulated server can crash");
        crashed.heal().await.expect("it is there again")
    }
}

/// Runs `what` in a world with one server, on no runtime but the simulation's.
fn in_world<F: Future<Output = ()> + Send + 'static>(what: impl FnOnce(World) -> F) {
    let simulation = Simulation::new(7);
    let plan = RigPlan {
        name: "wire".to_owned(),
        holders: 1,
        redis_servers: 1,
        links: LinkUse::PerHolder,
        lock: LockSettings::default(),
        needs: ServerNeeds { keeps: Keeps::Everything, ..ServerNeeds::default() },
        coordinator: None,
        topology: lockproof_rig::Topology::default(),
        database: lockproof_rig::DatabasePlan::default(),
        layout: Layout { slots: 1, capacity: 1, constraints: Constraints::NONE },
        seed: 1,
    };
    let rig = Arc::new(SimRig::with_driver(&simulation, plan, RedisDriver::Library));
    let world = World { env: simulation.env(), backends: rig.backends(), rig };
    simulation.run(what(world)).expect("nothing waits for ever");
}

async fn count(connection: &mut RedisConnection) -> RedisResult<i64> {
    cmd("INCR").arg("n").query_async(connection).await
}

#[test]
fn what_the_library_writes_at_one_time_is_one_message_and_so_is_its_answer() {
    in_world(|world| async move {
        let mut connection = world.connection().await;
        let delay = LinkEffect::Delay { by: Duration::from_millis(2), jitter: Duration::ZERO };
        let delay = world.disturb(delay);
        let mut pipeline = pipe();
        pipeline.cmd("INCR").arg("n").cmd("INCR").arg("n").cmd("GET").arg("n");
        let answers: (i64, i64, String) = pipeline.query_async(&mut connection).await.unwrap();
        assert_eq!(answers, (1, 2, "2".to_owned()));
        assert_eq!(delay.heal().as_deref(), Some("2 messages delayed"));
    });
}

#[test]
fn a_lost_reply_breaks_the_connection_and_its_request_was_carried_out() {
    in_world(|world| async move {
        let mut connection = world.connection().await;
        let lose = world.disturb(LinkEffect::Lose(Direction::ToClient));
        let error = count(&mut connection).await.unwrap_err();
        assert!(error.is_unrecoverable_error() && error.is_io_error(), "{error}");
        assert_eq!(lose.heal().as_deref(), Some("a reply lost, its request carried out"));
        assert!(count(&mut connection).await.is_err(), "what is broken stays so");
        assert_eq!(count(&mut world.connection().await).await.unwrap(), 2, "the next is another");
    });
}

#[test]
fn a_lost_request_breaks_the_connection_and_was_not_carried_out() {
    in_world(|world| async move {
        let mut connection = world.connection().await;
        let lose = world.disturb(LinkEffect::Lose(Direction::ToServer));
        assert!(count(&mut connection).await.is_err());
        drop(lose);
        assert_eq!(count(&mut world.connection().await).await.unwrap(), 1);
    });
}

#[test]
fn a_reset_and_a_crash_are_seen_by_an_idle_connection() {
    in_world(|world| async move {
        for crashes in [false, true] {
            let mut connection = world.connection().await;
            let broken =
                if crashes { world.crash().await } else { world.disturb(LinkEffect::Reset).heal() };
            assert!(broken.is_some(), "there was a connection to break");
            world.env.sleep(LONG).await;
            assert!(count(&mut connection).await.is_err());
            assert!(count(&mut world.connection().await).await.is_ok());
        }
    });
}

#[test]
fn what_is_held_arrives_once_it_is_let_go() {
    in_world(|world| async move {
        let mut connection = world.connection().await;
        let hold = world.disturb(LinkEffect::Hold);
        let env = world.env.clone();
        let release = async move {
            env.sleep(LONG).await;
            hold.heal()
        };
        let (answer, healed) = futures_util::join!(count(&mut connection), release);
        assert_eq!(answer.unwrap(), 1);
        assert_eq!(healed.as_deref(), Some("1 messages held"));
    });
}

#[test]
fn while_its_holder_is_paused_the_library_reads_nothing() {
    in_world(|world| async move {
        let mut connection = world.connection().await;
        let group = world.rig.group(HOLDER).expect("it is there");
        let other = world.clone();
        let pause = async move {
            // The request has left by then, and its answer has not arrived.
            other.env.sleep(Duration::from_micros(50)).await;
            group.pause();
            other.env.sleep(LONG).await;
            group.resume();
            other.env.now()
        };
        let answered = async {
            count(&mut connection).await.unwrap();
            world.env.now()
        };
        let (answered, resumed) = futures_util::join!(answered, pause);
        assert_eq!(answered, resumed);
    });
}

#[test]
fn a_killed_holder_takes_its_connection_along_and_the_server_learns_of_it() {
    in_world(|world| async move {
        let mut connection = world.connection().await;
        count(&mut connection).await.unwrap();
        world.rig.group(HOLDER).expect("it is there").kill();
        world.env.sleep(LONG).await;
        assert_eq!(world.crash().await, None, "nobody was connected any more");
        assert!(count(&mut connection).await.is_err());
    });
}

#[test]
fn a_request_that_nobody_waits_for_any_more_is_on_its_way_all_the_same() {
    in_world(|world| async move {
        let mut connection = world.connection().await;
        let soon = Box::pin(world.env.sleep(Duration::from_micros(50)));
        match select(Box::pin(count(&mut connection)), soon).await {
            Either::Left(_) => unreachable!("no message is that quick"),
            Either::Right(((), request)) => drop(request),
        }
        assert_eq!(count(&mut connection).await.unwrap(), 2);
    });
}

#[test]
fn a_blocked_connection_holds_up_what_is_sent_behind_it_and_nobody_else() {
    in_world(|world| async move {
        let mut connection = world.connection().await;
        let (mut same, env) = (world.connection().await, world.env.clone());
        let waits = async {
            let popped: Option<(String, String)> =
                cmd("BLPOP").arg("list").arg("0.02").query_async(&mut connection).await.unwrap();
            (popped, env.now())
        };
        let behind = async {
            world.env.sleep(Duration::from_millis(5)).await;
            (count(&mut same).await.unwrap(), world.env.now())
        };
        let ((popped, gave_up), (counted, after)) = futures_util::join!(waits, behind);
        assert_eq!((popped, counted), (None, 1));
        assert_eq!(after, gave_up, "both answers are one message");
    });
}

#[test]
fn a_server_that_is_told_to_quit_closes_the_connection() {
    in_world(|world| async move {
        let mut connection = world.connection().await;
        let said: String = cmd("QUIT").query_async(&mut connection).await.unwrap();
        assert_eq!(said, "OK");
        world.env.sleep(LONG).await;
        assert!(count(&mut connection).await.is_err());
        assert_eq!(count(&mut world.connection().await).await.unwrap(), 1);
    });
}
