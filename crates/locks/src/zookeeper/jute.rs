//! How ZooKeeper writes records: numbers with the highest byte first, text and buffers after their length.

/// A record that is being written.
#[derive(Debug, Default)]
pub(super) struct Writer(Vec<u8>);

impl Writer {
    pub(super) const fn new() -> Self {
        Self(Vec::new())
    }

    pub(super) fn int(self, number: i32) -> Self {
        self.raw(&number.to_be_bytes())
    }

    pub(super) fn long(self, number: i64) -> Self {
        self.raw(&number.to_be_bytes())
    }

    pub(super) fn flag(self, flag: bool) -> Self {
        self.raw(&[u8::from(flag)])
    }

    pub(super) fn text(self, text: &str) -> Self {
        self.buffer(text.as_bytes())
    }

    /// # Panics
    /// Past two gigabytes.
    pub(super) fn buffer(self, bytes: &[u8]) -> Self {
        let length = i32::try_from(bytes.len()).expect("nothing that a lock writes is so long");
        self.int(length).raw(bytes)
    }

    pub(super) fn raw(mut self, bytes: &[u8]) -> Self {
        self.0.extend_from_slice(bytes);
        self
    }

    pub(super) fn done(self) -> Vec<u8> {
        self.0
    }
}

/// A record that is being read; none where it ends too soon.
#[derive(Debug)]
pub(super) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(super) const fn new(record: &'a [u8]) -> Self {
        Self(record)
    }

    pub(super) fn int(&mut self) -> Option<i32> {
        self.take(4)?.try_into().ok().map(i32::from_be_bytes)
    }

    pub(super) fn long(&mut self) -> Option<i64> {
        self.take(8)?.try_into().ok().map(i64::from_be_bytes)
    }

    /// How many of something follow; a negative number stands for none.
    pub(super) fn count(&mut self) -> Option<usize> {
        Some(usize::try_from(self.int()?).unwrap_or(0))
    }

    pub(super) fn buffer(&mut self) -> Option<&'a [u8]> {
        let length = self.count()?;
        self.take(length)
    }

    pub(super) fn text(&mut self) -> Option<String> {
        String::from_utf8(self.buffer()?.to_vec()).ok()
    }

    pub(super) const fn rest(&self) -> &'a [u8] {
        self.0
    }

    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_what_is_cut_off_is_not() {
        let record = Writer::new().int(-2).long(1 << 40).text("lock").buffer(&[1, 2]).flag(true);
        let record = record.done();
        let read = |record: &[u8]| {
            let mut reader = Reader::new(record);
            let head = (reader.int()?, reader.long()?, reader.text()?, reader.buffer()?.to_vec());
            Some((head, reader.take(1)?.to_vec()))
        };
        let whole = read(&record).unwrap();
        assert_eq!(whole, ((-2, 1 << 40, "lock".to_owned(), vec![1, 2]), vec![1]));
        assert!((0..record.len()).all(|end| read(&record[..end]).is_none()));
    }

    #[test]
    fn no_length_is_believed_beyond_what_is_there() {
        assert_eq!(Reader::new(&Writer::new().int(i32::MAX).done()).buffer(), None);
        assert_eq!(Reader::new(&Writer::new().int(-1).done()).buffer(), Some(&[][..]));
    }
}
