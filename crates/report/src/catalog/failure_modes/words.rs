//! Sentences about one schedule, said of all.

/// What a sentence about a violation says of its cause, without the numbers of the schedule that it was seen in:
/// `slot 1 sold twice: holder 2's lease ended 25 ms before it wrote` is `a holder's lease ended before it wrote`.
pub(super) fn general(sentence: &str) -> String {
    let cause = sentence.split_once(": ").filter(|(head, _)| head.contains(" sold "));
    let mut words = cause.map_or(sentence, |(_, cause)| cause).split(' ').peekable();
    let (mut said, mut holders) = (Vec::new(), 0);
    while let Some(word) = words.next() {
        let number = |word: &&str| word.starts_with(|first: char| first.is_ascii_digit());
        let follows = words.next_if(number);
        match (word, follows) {
            ("holder", Some(which)) => {
                holders += 1;
                said.push(
                    if holders == 1 { "a holder" } else { "another" }.to_owned() + after(which),
                );
            }
            ("attempt", Some(which)) => said.push("an attempt".to_owned() + after(which)),
            ("slot", Some(which)) => said.push("a slot".to_owned() + after(which)),
            // A length of time, and what leads to it.
            (word, Some(_)) if words.next_if(is_unit).is_some() => {
                said.extend((word != "for").then(|| word.to_owned()));
            }
            (word, Some(number)) => said.extend([word.to_owned(), number.to_owned()]),
            (word, None) => said.push(word.to_owned()),
        }
    }
    said.join(" ")
}

/// What stands behind a number: `'s`, a comma.
fn after(number: &str) -> &str {
    number.trim_start_matches(|digit: char| digit.is_ascii_digit())
}

fn is_unit(word: &&str) -> bool {
    matches!(word.trim_end_matches(','), "ns" | "µs" | "ms" | "s")
}

/// What a page would take for markup.
pub(super) fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('*', "\\*").replace('<', "\\<")
}

#[cfg(test)]
mod tests {
    use super::general;

    #[test]
    fn what_belongs_to_one_schedule_is_left_out() {
        for (sentence, said) in [
            (
                "slot 1 sold twice: holder 2's lease ended 25 ms before it wrote",
                "a holder's lease ended before it wrote",
            ),
            (
                "slot 1 sold 3 times with a capacity of 2: nothing kept holder 2 and holder 1 apart, both inside for 1.1 ms",
                "nothing kept a holder and another apart, both inside",
            ),
            (
                "slot 7 sold twice: holder 1 had checked 4.4 ms before it was granted the lock",
                "a holder had checked before it was granted the lock",
            ),
            (
                "attempt 1 of holder 1 stands in 2 rows of slot 1",
                "an attempt of a holder stands in 2 rows of a slot",
            ),
            (
                "the lock of slot 4 still stands on redis-1 when everybody has stopped: nobody knows that it was granted",
                "the lock of a slot still stands on redis-1 when everybody has stopped: nobody knows that it was granted",
            ),
        ] {
            assert_eq!(general(sentence), said);
        }
    }
}
