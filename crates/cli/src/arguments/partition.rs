//! Which slice of a run is done here.

use lockproof_model::Slice;

/// Where Kubernetes says which pod of an Indexed Job this is, counted from 0.
const INDEX: &str = "JOB_COMPLETION_INDEX";

pub(crate) fn parse_partition(text: &str) -> Result<Slice, String> {
    let index = std::env::var(INDEX).ok();
    slice(text, index.as_deref())
}

fn slice(text: &str, index: Option<&str>) -> Result<Slice, String> {
    let Some(count) = text.strip_prefix("slice:auto/") else {
        return text.parse().map_err(|error| format!("{error}"));
    };
    let index = index.ok_or_else(|| {
        format!("`{text}` takes its number from {INDEX}, which is not set; write slice:2/4 for the second of four")
    })?;
    let slice = || Slice::new(index.parse::<u32>().ok()?.checked_add(1)?, count.parse().ok()?);
    slice().ok_or_else(|| {
        format!("`{text}` with {INDEX}={index} is no slice: indices count from 0 to below the number of slices")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pod_takes_the_slice_of_its_index() {
        assert_eq!(slice("slice:auto/4", Some("0")), slice("slice:1/4", None));
        assert_eq!(slice("slice:auto/4", Some("3")), slice("slice:4/4", None));
        let missing = slice("slice:auto/4", None).expect_err("there is no index");
        assert!(missing.contains("JOB_COMPLETION_INDEX, which is not set"), "{missing}");
        for (text, index) in [("slice:auto/4", "4"), ("slice:auto/4", "x"), ("slice:auto/", "0")] {
            let error = slice(text, Some(index)).expect_err(text);
            assert!(error.contains("count from 0"), "{error}");
        }
    }
}
