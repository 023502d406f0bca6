//! Processes that are none: the two ends of a line, joined in this process and in virtual time.

use std::future::pending;
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use lockproof_env::Group;
use lockproof_model::{HolderId, Point};
use lockproof_workload::{
    Answer, Broken, HolderEnd, Launcher, Load, Parties, Post, SeatEnd, Word, attend,
};
use tokio::sync::mpsc;

/// Processes that are tasks, in groups that nobody pauses.
#[derive(Debug)]
pub(crate) struct Doubles {
    pub(crate) parties: Parties,
    pub(crate) load: Load,
    pub(crate) groups: Vec<Group>,
    /// By which each process dies, in the order in which they were started.
    pub(crate) bodies: Arc<Mutex<Vec<Group>>>,
    /// Where they have asked for leave.
    pub(crate) asked_at: Arc<Mutex<Vec<Point>>>,
}

impl Launcher for Doubles {
    fn launch<'a>(
        &'a self,
        holder: HolderId,
        life: u32,
        concerns: &'a [Point],
    ) -> BoxFuture<'a, Result<Box<dyn SeatEnd>, Broken>> {
        let place = usize::try_from(holder.0).expect("few holders") - 1;
        if self.groups[place].is_killed() {
            return std::future::ready(Err("it was killed before it was started".into())).boxed();
        }
        let body = Group::new();
        self.bodies.lock().unwrap_or_else(PoisonError::into_inner).push(body.clone());
        let (says, heard) = mpsc::unbounded_channel();
        let (answers, answered) = mpsc::unbounded_channel();
        let asked_at = Arc::clone(&self.asked_at);
        let end = Arc::new(DoubleEnd { says, answered: answered.into(), asked_at });
        let env = self.parties.env.in_group(&body);
        let parties = Parties { env: env.clone(), ..self.parties.clone() };
        let Load { flow, settings, .. } = self.load;
        let post = Post { holder, life, flow, settings, concerns: concerns.to_vec() };
        drop(env.spawn(attend(parties, post, end)));
        let end: Box<dyn SeatEnd> = Box::new(DoubleSeat { heard, answers, body });
        std::future::ready(Ok(end)).boxed()
    }
}

#[derive(Debug)]
struct DoubleEnd {
    says: mpsc::UnboundedSender<Word>,
    answered: tokio::sync::Mutex<mpsc::UnboundedReceiver<Answer>>,
    asked_at: Arc<Mutex<Vec<Point>>>,
}

impl HolderEnd for DoubleEnd {
    fn say(&self, word: &Word) {
        if let Word::At(occurrence) = word {
            let mut asked_at = self.asked_at.lock().unwrap_or_else(PoisonError::into_inner);
            asked_at.push(occurrence.point);
        }
        self.says.send(word.clone()).unwrap_or_else(|_| panic!("the seat is gone"));
    }

    fn hear(&self) -> BoxFuture<'_, Answer> {
        async {
            match self.answered.lock().await.recv().await {
                Some(answer) => answer,
                None => pending().await,
            }
        }
        .boxed()
    }
}

#[derive(Debug)]
pub(crate) struct DoubleSeat {
    pub(crate) heard: mpsc::UnboundedReceiver<Word>,
    pub(crate) answers: mpsc::UnboundedSender<Answer>,
    pub(crate) body: Group,
}

impl SeatEnd for DoubleSeat {
    fn answer(&mut self, answer: Answer) -> BoxFuture<'_, Result<(), Broken>> {
        std::future::ready(self.answers.send(answer).map_err(Broken::from)).boxed()
    }

    fn hear(&mut self) -> BoxFuture<'_, Result<Option<Word>, Broken>> {
        async { Ok(self.heard.recv().await) }.boxed()
    }

    fn kill(&mut self) {
        self.body.kill();
    }

    fn ended(self: Box<Self>) -> BoxFuture<'static, Option<String>> {
        let how = self.body.is_killed().then(|| "died by itself".to_owned());
        std::future::ready(how).boxed()
    }
}

impl Drop for DoubleSeat {
    fn drop(&mut self) {
        self.body.kill();
    }
}
