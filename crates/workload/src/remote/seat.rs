//! The run's side: one holder's processes, from one life to the next.
//!
//! ```text
//!   live ─▶ hears its process to the end ──▶ it has worked off its attempts: done
//!                                       ├──▶ a fault killed it: what it had begun is abandoned; after the restart a
//!                                       │    fresh process takes the seat, or nothing is left to do
//!                                       └──▶ it died by itself: the run has to say so
//! ```

use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::{Either, select};
use lockproof_env::{Group, Latch};
use lockproof_model::{Instant, Point, in_full};

use super::{Answer, Apart, Broken, SeatEnd, Word};
use crate::arrivals::Arrivals;
use crate::life::next_attempt;
use crate::load::SetUpError;
use crate::recorder::Recorder;

/// A process of a first life is there after that, or something is wrong with the machine.
const STANDS_WITHIN: Duration = Duration::from_secs(60);

/// What a holder's processes need, one after the other.
#[derive(Clone, Debug)]
pub(super) struct Seat {
    apart: Arc<Apart>,
    group: Group,
    recorder: Recorder,
    /// Where the holder has to ask for leave.
    concerns: Arc<[Point]>,
    /// Shared by all seats: who died by itself, and how.
    lost: Arc<Mutex<Vec<String>>>,
}

/// When a life is not worth beginning any more.
struct Ends<'a> {
    arrivals: &'a Arrivals,
    begun: Instant,
    cut: &'a Latch,
}

impl Seat {
    pub(crate) fn new(
        apart: &Arc<Apart>,
        group: &Group,
        recorder: &Recorder,
        concerns: &Arc<[Point]>,
        lost: &Arc<Mutex<Vec<String>>>,
    ) -> Self {
        Self {
            apart: Arc::clone(apart),
            group: group.clone(),
            recorder: recorder.clone(),
            concerns: Arc::clone(concerns),
            lost: Arc::clone(lost),
        }
    }

    /// Starts the holder's first process, and waits until that is connected.
    pub(crate) async fn set_up(&self) -> Result<Box<dyn SeatEnd>, SetUpError> {
        let stands = self.apart.env.timeout(STANDS_WITHIN, self.launch(1)).await;
        stands.unwrap_or_else(|elapsed| {
            Err(SetUpError::Process(self.recorder.holder(), Box::new(elapsed)))
        })
    }

    async fn launch(&self, life: u32) -> Result<Box<dyn SeatEnd>, SetUpError> {
        let holder = self.recorder.holder();
        let failed = |error| SetUpError::Process(holder, error);
        let launched = self.apart.launcher.launch(holder, life, &self.concerns).await;
        let mut end = launched.map_err(failed)?;
        match end.hear().await.map_err(failed)? {
            Some(Word::Ready) => Ok(end),
            Some(Word::Failed(why)) => Err(SetUpError::Told(why)),
            Some(word) => Err(failed(out_of_turn(&word))),
            None => {
                let how = end.ended().await.unwrap_or_else(|| "ended".to_owned());
                Err(failed(format!("its process {how}").into()))
            }
        }
    }

    /// From the holder's first attempt to the end of the load, over as many processes as that takes, or until `cut` is
    /// raised.
    ///
    /// # Cancel safety
    /// Dropped, the process is killed.
    pub(crate) async fn live(
        self,
        first: Box<dyn SeatEnd>,
        arrivals: Arc<Arrivals>,
        begun: Instant,
        cut: Latch,
    ) {
        let ends = Ends { arrivals: &arrivals, begun, cut: &cut };
        let (mut end, mut deaths, mut life) = (first, self.group.deaths(), 1);
        loop {
            let heard = {
                let hears = pin!(self.hear_out(end.as_mut(), &ends));
                match select(pin!(cut.raised()), hears).await {
                    Either::Left(_) => None,
                    Either::Right((heard, _)) => Some(heard),
                }
            };
            let Some(heard) = heard else { return self.cut_off(end).await };
            let how = match heard {
                Ok(()) => end.ended().await,
                Err(error) => Some(format!("was not understood: {}", in_full(error.as_ref()))),
            };
            if self.group.deaths() == deaths {
                how.into_iter().for_each(|how| self.lose(&how));
                return;
            }
            self.recorder.abandon(self.apart.env.now());
            let Some(next) = self.start_again(&mut life, &mut deaths, &ends).await else { return };
            end = next;
        }
    }

    /// Writes down, answers and asks the gate, until the process has ended.
    async fn hear_out(&self, end: &mut dyn SeatEnd, ends: &Ends<'_>) -> Result<(), Broken> {
        let Apart { env, gate, halt, .. } = self.apart.as_ref();
        while let Some(word) = end.hear().await? {
            let answer = match word {
                Word::Note(note) => {
                    self.recorder.note(note);
                    continue;
                }
                Word::Next => {
                    let next = next_attempt(env, ends.arrivals, halt, ends.begun);
                    let Some(next) = unless_it_ends(end, next).await? else { break };
                    next.map_or(Answer::Over, |(target, intended)| Answer::Attempt {
                        target,
                        intended,
                    })
                }
                Word::At(occurrence) => {
                    let leave = gate.wait(&occurrence);
                    if unless_it_ends(end, leave).await?.is_none() {
                        break;
                    }
                    Answer::GoOn
                }
                Word::Ready | Word::Failed(_) => return Err(out_of_turn(&word)),
            };
            // A process that has just died hears nothing; that it died is heard next.
            if let Err(error) = end.answer(answer).await {
                tracing::debug!(error = in_full(error.as_ref()), "a holder was not answered");
            }
        }
        Ok(())
    }

    /// The next life, once the holder is started again; none where nothing is left to do, or it died by itself.
    async fn start_again(
        &self,
        life: &mut u32,
        deaths: &mut u64,
        ends: &Ends<'_>,
    ) -> Option<Box<dyn SeatEnd>> {
        loop {
            // In this order: when both are true there is nothing to start it again for.
            let restarted = pin!(self.group.restarted());
            if let Either::Left(_) = select(pin!(self.over(ends)), restarted).await {
                return None;
            }
            *deaths = self.group.deaths();
            *life += 1;
            let launched = match select(pin!(self.over(ends)), pin!(self.launch(*life))).await {
                Either::Left(_) => return None,
                Either::Right((launched, _)) => launched,
            };
            match launched {
                Ok(end) => return Some(end),
                // Killed while it connected: that was another death, after which there may be another life.
                Err(_) if self.group.deaths() != *deaths => {}
                Err(error) => {
                    self.lose(&format!("could not be replaced: {}", in_full(&error)));
                    return None;
                }
            }
        }
    }

    async fn over(&self, ends: &Ends<'_>) {
        let over = pin!(ends.arrivals.over(&self.apart.env, ends.begun));
        select(over, pin!(ends.cut.raised())).await;
    }

    /// Ends the process, and hears what it had said: a request of its may be on its way.
    async fn cut_off(&self, mut end: Box<dyn SeatEnd>) {
        end.kill();
        while let Ok(Some(word)) = end.hear().await {
            if let Word::Note(note) = word {
                self.recorder.note(note);
            }
        }
    }

    /// It died, and no fault did it.
    fn lose(&self, how: &str) {
        self.recorder.abandon(self.apart.env.now());
        let lost = format!("the process of {} {how}", self.recorder.holder());
        self.lost.lock().unwrap_or_else(PoisonError::into_inner).push(lost);
    }
}

/// `what`, unless the process ends first. It has asked, and so says nothing until it is answered.
async fn unless_it_ends<T>(
    end: &mut dyn SeatEnd,
    what: impl Future<Output = T> + Send,
) -> Result<Option<T>, Broken> {
    match select(pin!(what), end.hear()).await {
        Either::Left((output, _)) => Ok(Some(output)),
        Either::Right((heard, _)) => match heard? {
            Some(word) => Err(out_of_turn(&word)),
            None => Ok(None),
        },
    }
}

fn out_of_turn(word: &Word) -> Broken {
    format!("it said {word:?} out of turn").into()
}
