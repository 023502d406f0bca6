//! A conversation with an adapter: requests by number, and the answers to them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use lockproof_env::Env;
use lockproof_model::HolderId;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender};
use tokio::sync::oneshot;

use super::{AdapterLine, Answer, AnswerWord, Hello, Request};
use crate::{Backends, LockError, LockSettings, Result};

/// How long a program may take to say who it is. An interpreter that loads its libraries on a busy machine takes seconds,
/// and nothing is at stake yet.
const STARTS_WITHIN: Duration = Duration::from_secs(30);
/// And how long to connect.
const CONNECTS_WITHIN: Duration = Duration::from_secs(5);

/// A conversation that every session of one holder takes part in.
#[derive(Debug)]
pub(crate) struct Conversation {
    tells: UnboundedSender<String>,
    desk: Arc<Mutex<Desk>>,
    hello: Hello,
}

/// Who waits for which answer.
#[derive(Debug, Default)]
struct Desk {
    last: u64,
    waiting: BTreeMap<u64, oneshot::Sender<Answer>>,
    /// Why nothing more can be asked.
    broken: Option<String>,
}

/// An answer that decides something: neither *fail* nor *unknown*, which are errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) word: AnswerWord,
    pub(crate) token: Option<u64>,
}

impl Conversation {
    /// Starts an adapter for `holder` and has it connect. The listener is spawned by `env`: nobody's group, as a
    /// connection's buffer is nobody's.
    ///
    /// # Errors
    /// It cannot be started, is not understood, or cannot connect. Definite: nothing was asked of a lock.
    pub(crate) async fn begin(
        env: &Env,
        backends: &dyn Backends,
        holder: HolderId,
        settings: &LockSettings,
    ) -> Result<Self> {
        let AdapterLine { redis, tells, mut hears } = backends.adapter(holder).await?;
        let hello = env.timeout(STARTS_WITHIN, hears.recv()).await.map_err(|elapsed| {
            LockError::definite("the adapter did not say hello").because(elapsed)
        })?;
        let said = hello.unwrap_or_else(|| Err("it said nothing".to_owned()));
        let hello = said.and_then(|line| Hello::read(&line)).map_err(unusable)?;
        if settings.draw_tokens && !hello.fences {
            let why = format!("{} has no fencing tokens, which the guard needs", hello.name);
            return Err(unusable(why));
        }
        let desk = Arc::default();
        drop(env.spawn(listen(hears, Arc::clone(&desk))));
        let conversation = Self { tells, desk, hello };
        let open = |id| Request::Open {
            id,
            holder: holder.0,
            redis,
            fences: settings.draw_tokens,
            time_limit_ms: whole_millis(settings.time_limit),
        };
        match conversation.ask(env, CONNECTS_WITHIN, open).await {
            Ok(Outcome { word: AnswerWord::Opened, .. }) => Ok(conversation),
            Ok(Outcome { word, .. }) => {
                Err(unusable(format!("it answered `{}` to open", word.word())))
            }
            // Whatever came of opening, no lock was touched.
            Err(error) => {
                Err(LockError::definite("the adapter could not open a session").because(error))
            }
        }
    }

    pub(crate) const fn hello(&self) -> &Hello {
        &self.hello
    }

    /// Whether the adapter has ended, or said what is not understood: somebody has to begin anew.
    pub(crate) fn is_broken(&self) -> bool {
        self.desk().broken.is_some()
    }

    /// Asks, and waits for the answer for at most `limit`.
    ///
    /// # Errors
    /// Definite where the adapter says so, or had ended before it was asked; else indefinite.
    ///
    /// # Cancel safety
    /// The request is on its way; its answer is thrown away.
    pub(crate) async fn ask(
        &self,
        env: &Env,
        limit: Duration,
        request: impl FnOnce(u64) -> Request,
    ) -> Result<Outcome> {
        let (id, answer) = self.register()?;
        let request = request(id);
        let line = serde_json::to_string(&request).map_err(|error| {
            LockError::definite("a request cannot be written down").because(error)
        })?;
        let gone = || LockError::indefinite(self.why_broken());
        self.tells.send(line).map_err(|_| gone())?;
        let answered = env.timeout(limit, answer).await.map_err(|elapsed| {
            let what = format!("{} did not answer to {}", self.hello.name, request.word());
            LockError::indefinite(what).because(elapsed)
        })?;
        self.judge(request.word(), answered.map_err(|_| gone())?)
    }

    fn register(&self) -> Result<(u64, oneshot::Receiver<Answer>)> {
        let mut desk = self.desk();
        if let Some(why) = &desk.broken {
            return Err(LockError::definite(why.clone()));
        }
        let (sender, answer) = oneshot::channel();
        desk.last += 1;
        let id = desk.last;
        // Those whose askers have gone are of no use to anybody; an answer to one of them is known by its number.
        desk.waiting.retain(|_, asker| !asker.is_closed());
        desk.waiting.insert(id, sender);
        Ok((id, answer))
    }

    fn judge(&self, request: &str, answer: Answer) -> Result<Outcome> {
        let Answer { answer: word, token, message, .. } = answer;
        let said = || {
            let why = message.as_deref().unwrap_or("it does not say why");
            format!("{}: {request}: {why}", self.hello.name)
        };
        match word {
            AnswerWord::Fail => Err(LockError::definite(said())),
            AnswerWord::Unknown => Err(LockError::indefinite(said())),
            word => Ok(Outcome { word, token }),
        }
    }

    fn why_broken(&self) -> String {
        let desk = self.desk();
        desk.broken.clone().unwrap_or_else(|| "the adapter can no longer be spoken to".to_owned())
    }

    fn desk(&self) -> MutexGuard<'_, Desk> {
        lock(&self.desk)
    }
}

/// Brings each answer to whoever waits for it, to the end of the line.
async fn listen(mut hears: UnboundedReceiver<Result<String, String>>, desk: Arc<Mutex<Desk>>) {
    let why = loop {
        let Some(said) = hears.recv().await else { break "it is gone".to_owned() };
        let answer = match said.and_then(|line| Answer::read(&line)) {
            Ok(answer) => answer,
            Err(why) => break why,
        };
        let mut desk = lock(&desk);
        if answer.id == 0 || answer.id > desk.last {
            break format!("it answered request {}, which nobody has made", answer.id);
        }
        // Whoever does not wait any more has been told that nobody knows.
        if let Some(asker) = desk.waiting.remove(&answer.id) {
            drop(asker.send(answer));
        }
    };
    let mut desk = lock(&desk);
    desk.broken = Some(format!("the adapter cannot be spoken to: {why}"));
    // Dropped, each is told.
    desk.waiting.clear();
}

fn lock(desk: &Mutex<Desk>) -> MutexGuard<'_, Desk> {
    desk.lock().unwrap_or_else(PoisonError::into_inner)
}

fn unusable(why: String) -> LockError {
    LockError::definite(format!("the adapter cannot be used: {why}"))
}

fn whole_millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
