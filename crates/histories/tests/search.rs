//! The search against one that tries every order, and readers against files as people have them.

#![expect(clippy::unwrap_used, reason = "the helpers of tests fail as tests do")]

use lockproof_histories::{
    Action, Answer, Limits, LockHistory, LockOperation, Model, Refusal, read_edn, read_json_lines,
    search,
};
use proptest::prelude::*;

const PATIENT: Limits<'_> = Limits { memory: 1 << 28, is_over: &|| false };

/// Process, acquires, gap before it, duration, whether it is answered, token.
type Drawn = (u32, bool, u64, u64, bool, Option<u64>);

/// So many processes speak for one owner, which then does several things at a time.
fn history(drawn: &[Drawn], processes_per_owner: u32) -> LockHistory {
    let mut clocks = [0_u64; 4];
    let operations = drawn.iter().map(|&(process, acquires, gap, took, is_answered, fence)| {
        let owner = process / processes_per_owner;
        let clock = &mut clocks[usize::try_from(process).unwrap()];
        let invoked = *clock + gap;
        *clock = invoked + took + 1;
        let action = if acquires { Action::Acquire } else { Action::Release };
        let completed = is_answered.then_some(invoked + took);
        LockOperation { lock: 0, owner, action, fence, invoked, completed, line: 0 }
    });
    let mut operations: Vec<_> = operations.collect();
    operations.sort_by_key(|operation| operation.invoked);
    LockHistory { locks: vec!["lock".to_owned()], operations, ..LockHistory::default() }
}

/// Tries every order: obviously right, and slow.
fn has_order(
    model: Model,
    left: &[LockOperation],
    depth: u32,
    owner: u32,
    fence: Option<u64>,
) -> bool {
    if left.iter().all(|operation| operation.completed.is_none()) {
        return true;
    }
    let soonest = left.iter().filter_map(|operation| operation.completed).min();
    let may_be_next = |it: &LockOperation| soonest.is_none_or(|soonest| it.invoked <= soonest);
    left.iter().enumerate().filter(|(_, it)| may_be_next(it)).any(|(place, it)| {
        let is_own = model == Model::Mutex || owner == it.owner;
        let next = match (it.action, depth) {
            (Action::Acquire, 0) => match (model, it.fence) {
                (Model::FencedMutex, Some(new)) if fence.is_some_and(|known| new <= known) => None,
                (Model::FencedMutex, Some(new)) => Some((1, it.owner, Some(new))),
                _ => Some((1, it.owner, fence)),
            },
            (Action::Acquire, _) if model == Model::ReentrantMutex && is_own => {
                Some((depth + 1, owner, fence))
            }
            (Action::Release, 1..) if is_own => Some((depth - 1, owner, fence)),
            _ => None,
        };
        let mut rest = left.to_vec();
        rest.remove(place);
        next.is_some_and(|(depth, owner, fence)| has_order(model, &rest, depth, owner, fence))
    })
}

fn drawn() -> impl Strategy<Value = Drawn> {
    (
        0..4_u32,
        prop::bool::weighted(0.55),
        0..4_u64,
        0..12_u64,
        prop::bool::weighted(0.9),
        prop::option::of(0..5_u64),
    )
}

fn agrees(history: &LockHistory) -> Result<(), TestCaseError> {
    for model in Model::ALL {
        let answer = search(history, model, PATIENT);
        let expected = has_order(model, &history.operations, 0, 0, None);
        prop_assert_eq!(answer == Answer::Valid, expected, "{:?}: {:?}", model, answer);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn the_search_agrees_with_one_that_tries_every_order(
        drawn in prop::collection::vec(drawn(), 1..9),
        processes_per_owner in 1..3_u32,
    ) {
        agrees(&history(&drawn, processes_per_owner))?;
    }

    /// Few histories drawn from everything are nearly right. Here everybody takes and gives back by turns.
    #[test]
    fn they_agree_on_holders_that_behave(mut drawn in prop::collection::vec(drawn(), 1..9)) {
        let mut holds = [false; 4];
        for (process, acquires, ..) in &mut drawn {
            let holds = &mut holds[usize::try_from(*process).unwrap()];
            *holds = !*holds;
            *acquires = *holds;
        }
        agrees(&history(&drawn, 1))?;
    }

    #[test]
    fn no_bytes_make_a_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        drop(read_edn(bytes.as_slice()));
        drop(read_json_lines(bytes.as_slice()));
    }

    /// Whatever is wrong is wrong at a place that the file has.
    #[test]
    fn a_damaged_file_is_read_or_refused_at_a_place_within_it(
        damages in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
        end in any::<prop::sample::Index>(),
        is_cut in any::<bool>(),
    ) {
        let refusals = [
            |bytes: &[u8]| read_edn(bytes).err(),
            |bytes: &[u8]| read_json_lines(bytes).err(),
        ];
        for (whole, refusal) in [EDN, JSON_LINES].into_iter().zip(refusals) {
            let mut bytes = whole.as_bytes().to_vec();
            for (place, byte) in &damages {
                let place = place.index(bytes.len());
                bytes[place] = *byte;
            }
            if is_cut {
                bytes.truncate(end.index(bytes.len()));
            }
            if let Some(error) = refusal(&bytes) {
                let lines: Vec<_> = bytes.split(|byte| *byte == b'\n').collect();
                let line = lines.get(usize::try_from(error.line - 1).unwrap());
                let most = line.map(|line| line.len() + 2);
                let column = usize::try_from(error.column).unwrap();
                prop_assert!(most.is_some_and(|most| (1..=most).contains(&column)), "{}", error);
            }
        }
    }
}

/// Two that hold it at one time.
const JSON_LINES: &str = r#"{"process":1,"type":"invoke","f":"acquire"}
{"process":1,"type":"ok","f":"acquire"}
{"process":2,"type":"invoke","f":"acquire"}
{"process":2,"type":"ok","f":"acquire"}
{"process":1,"type":"invoke","f":"release"}
{"process":1,"type":"ok","f":"release"}
"#;

const EDN: &str = r#"; a comment
[{:type :invoke, :f :acquire, :process 0, :value nil, :time 1}
 {:type :info, :f :partition, :process :nemesis, :value #{"n1" "n2"}}
 #jepsen.history.Op{:type :ok, :f :acquire, :process 0, :value {:client "a", :fence 7}}
 {:type :invoke :f :acquire :process 1}
 {:type :info :f :acquire :process 1 :error [:timeout "x"]}
 {:type :invoke, :f :acquire, :process 2} {:type :fail, :f :acquire, :process 2}
 {:type :invoke, :f :release, :process 0} {:type :ok, :f :release, :process 0, :value {:client "a"}}]"#;

#[test]
fn a_history_of_jepsens_is_read_with_its_clients_tokens_and_the_crashed() {
    let history = read_edn(EDN.as_bytes()).unwrap();
    let [acquire, unknown, release] = history.operations.as_slice() else { panic!("{history:?}") };
    assert_eq!((acquire.fence, acquire.line), (Some(7), 2));
    assert_eq!(history.owners[usize::try_from(acquire.owner).unwrap()], "a");
    assert_eq!(unknown.completed, None);
    assert_eq!((release.action, history.failed), (Action::Release, 1));
}

#[test]
fn two_that_hold_it_at_one_time_are_found_and_named() {
    let history = read_json_lines(JSON_LINES.as_bytes()).unwrap();
    for model in Model::ALL {
        let Answer::Violated(stuck) = search(&history, model, PATIENT) else { panic!("{model:?}") };
        assert_eq!((stuck.next.line, stuck.holder.unwrap().line), (3, 1));
    }
}

#[test]
fn wrong_files_are_refused_where_they_are_wrong() {
    for (text, where_and_why) in [
        ("", "1:1: the file holds no operation"),
        ("{:type :invoke, :f :acquire", "1:28: the file ends in the middle"),
        ("[{:type :invoke, :f :acquire, :process 0}", "1:42: the file ends before its vector does"),
        ("\n {:type :ok, :f :acquire, :process 0}", "2:2: process 0 has nothing in flight"),
        ("{:type :invoke, :f :read, :process 0}", "1:1: :f is :acquire or :release"),
        ("{:a \"b}", "1:5: a text that has no end"),
        (&"[".repeat(100), "nested more than 64 deep"),
    ] {
        let error = read_edn(text.as_bytes()).unwrap_err().to_string();
        assert!(error.contains(where_and_why), "{text:?}: {error}");
    }
    let error = read_json_lines(&b"{\"process\":1,"[..]).unwrap_err().to_string();
    assert!(error.starts_with("1:13: no JSON"), "{error}");
}

#[test]
fn a_search_that_takes_too_long_is_given_up() {
    let history = read_edn(EDN.as_bytes()).unwrap();
    let limits = Limits { memory: 1, is_over: &|| false };
    assert_eq!(search(&history, Model::OwnerMutex, limits), Answer::Unknown(0));
}

/// The first has to be the last, and one of which nobody knows is there as well: more take effect before the first that
/// has not than a situation has room for at once.
#[test]
fn an_order_is_found_in_which_the_first_of_hundreds_is_the_last() {
    let operation = |owner: u32, action, invoked, completed| LockOperation {
        lock: 0,
        owner,
        action,
        fence: None,
        invoked,
        completed,
        line: 0,
    };
    let turn = |owner| {
        let at = u64::from(owner) * 10;
        [
            operation(owner, Action::Acquire, at, Some(at + 1)),
            operation(owner, Action::Release, at + 2, Some(at + 3)),
        ]
    };
    let mut history = LockHistory { locks: vec!["lock".to_owned()], ..LockHistory::default() };
    history.operations = vec![
        operation(0, Action::Acquire, 0, Some(100_000)),
        operation(1, Action::Acquire, 0, None),
    ];
    history.operations.extend((2..400).flat_map(turn));
    assert_eq!(search(&history, Model::OwnerMutex, PATIENT), Answer::Valid);
    history.operations.push(operation(401, Action::Release, 90_000, Some(90_001)));
    let Answer::Violated(stuck) = search(&history, Model::OwnerMutex, PATIENT) else { panic!() };
    assert_eq!((stuck.ordered, stuck.why), (Some(2 * 398 + 1), Refusal::NotItsOwner));
}
