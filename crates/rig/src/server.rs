//! What a fault can do to a server, and what the server needs for it from its start.

use std::time::Duration;

/// What a server is, as far as faults have to tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServerKind {
    /// One that locks run on.
    Redis,
    /// A coordination service, on which locks run too.
    Coordinator,
    /// The one that keeps the bookings.
    Database,
}

/// What a disturbance does to a server.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ServerEffect {
    /// It stands still; what arrives waits.
    Pause,
    /// It dies, and its connections with it; healed, it is started again.
    Crash {
        /// What it finds then.
        keeps: Keeps,
    },
    /// Its wall clock jumps, at once and for good.
    ClockJump {
        /// Forward, or back where negative.
        by_ms: i64,
    },
    /// Its wall clock runs at this rate until it is healed; 1 is right.
    ClockRate(f64),
    /// Its replica takes its place, at once and for good. Replication is asynchronous: what was written last is not
    /// there.
    Failover {
        /// How far behind the replica was.
        lag: Duration,
    },
    /// Every key is evicted, at once: memory was short.
    Evict,
    /// Every key is deleted, at once: somebody said FLUSHALL.
    Flush,
    /// Its disk has no room left until it is healed.
    FillDisk,
}

impl ServerEffect {
    /// What has to be there from the start for it.
    #[must_use]
    pub fn needs(self) -> ServerNeeds {
        let nothing = ServerNeeds::default();
        match self {
            Self::Crash { keeps } => ServerNeeds { keeps, ..nothing },
            Self::Failover { lag } => ServerNeeds { replica_lag: Some(lag), ..nothing },
            Self::ClockJump { .. } | Self::ClockRate(_) => ServerNeeds { clock: true, ..nothing },
            Self::FillDisk => ServerNeeds { small_disk: true, ..nothing },
            Self::Pause | Self::Evict | Self::Flush => nothing,
        }
    }
}

/// What a server needs from its start, so that faults can be done to it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ServerNeeds {
    /// What it has to keep for when it dies.
    pub keeps: Keeps,
    /// A replica, so far behind: the one that a failover promotes.
    pub replica_lag: Option<Duration>,
    /// So many replicas at least, those beside that one not behind at all.
    pub replicas: u32,
    /// A wall clock that can be moved.
    pub clock: bool,
    /// A disk that can be filled without harm to anybody else.
    pub small_disk: bool,
}

impl ServerNeeds {
    /// What serves both: the stricter persistence, the greater lag.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            keeps: self.keeps.max(other.keeps),
            replica_lag: self.replica_lag.max(other.replica_lag),
            replicas: self.replicas.max(other.replicas),
            clock: self.clock || other.clock,
            small_disk: self.small_disk || other.small_disk,
        }
    }

    /// How far behind each replica is, the one that a failover promotes first.
    #[must_use]
    pub fn replica_lags(self) -> Vec<Duration> {
        let beside = self.replicas.saturating_sub(u32::from(self.replica_lag.is_some()));
        let beside = std::iter::repeat_n(Duration::ZERO, beside as usize);
        self.replica_lag.into_iter().chain(beside).collect()
    }

    /// Whether a simulated server has to remember its past.
    #[must_use]
    pub fn past(self) -> bool {
        self.keeps != Keeps::Nothing || self.replica_lag.is_some()
    }
}

/// What a server that is started again finds of its data; a database finds everything that was committed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Keeps {
    /// Nothing: no persistence.
    #[default]
    Nothing,
    /// What was there when the last whole second began: `appendfsync everysec`.
    EverySecond,
    /// All that was acknowledged: `appendfsync always`.
    Everything,
}
