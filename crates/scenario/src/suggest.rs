//! Did you mean …?

/// The candidate closest to `word`, when it is close enough to be what was meant.
#[must_use]
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // A third of the word may be wrong, or two letters of a short one; more than that is a guess.
    let allowed = (word.chars().count() / 3).max(2);
    candidates
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(word, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= allowed && *distance < candidate.len())
        .min()
        .map(|(_, candidate)| candidate)
}

/// `; did you mean `x`?`, or the list of what there is.
pub(crate) fn hint(word: &str, candidates: &[&str]) -> String {
    let available = candidates.join(", ");
    match nearest(word, candidates.iter().copied()) {
        Some(candidate) => format!("; did you mean `{candidate}`? available: {available}"),
        None => format!("; available: {available}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_recognised_and_a_different_word_is_not() {
        let known = ["latency", "partition", "pause-holder"];
        assert_eq!(nearest("latncy", known), Some("latency"));
        assert_eq!(nearest("pause-hodler", known), Some("pause-holder"));
        assert_eq!(nearest("earthquake", known), None);
    }
}
