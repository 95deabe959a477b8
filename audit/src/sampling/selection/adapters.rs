//! What stands between the rows and a selector: clusters, items drawn before; and the census, which selects
//! everything.

use std::collections::BTreeSet;

use super::{Selected, SelectionError, Selector, push};

/// Several lines of one decision are one unit: lines with the same key are added up and offered once.
///
/// The lines come in canonical order of their keys (bytewise), so that those of a key follow one another;
/// their order among themselves has no effect. The unit's amount is the sum, which may hold negative lines; a
/// method that draws monetary units refuses a sum that is not positive. A selected unit is examined with all
/// its lines.
#[derive(Debug, Clone)]
pub struct Clusters<S> {
    inner: S,
    /// Key and sum of the lines so far.
    open: Option<(String, i128)>,
}

impl<S: Selector> Clusters<S> {
    /// Offers the sums to this selector.
    pub fn new(inner: S) -> Self {
        Self { inner, open: None }
    }

    fn close(&mut self) -> Result<(), SelectionError> {
        let Some((key, sum)) = self.open.take() else {
            return Ok(());
        };
        match i64::try_from(sum) {
            Ok(amount) => self.inner.offer(&key, amount),
            Err(_) => Err(SelectionError::AmountTooLarge(key)),
        }
    }
}

impl<S: Selector> Selector for Clusters<S> {
    fn offer(&mut self, id: &str, amount: i64) -> Result<(), SelectionError> {
        let next = i128::from(amount);
        match &mut self.open {
            Some((key, sum)) if key == id => {
                *sum += next;
                return Ok(());
            }
            Some((key, _)) if key.as_str() > id => {
                let (id, after) = (id.to_owned(), key.clone());
                return Err(SelectionError::OutOfOrder { id, after });
            }
            _ => {}
        }
        self.close()?;
        self.open = Some((id.to_owned(), next));
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> Result<Vec<Selected>, SelectionError> {
        self.close()?;
        Box::new(self.inner).finish()
    }
}

/// An extension of a record sample: the items drawn before are left out, the others offered.
///
/// The extension has a seed of its own; the first sample stays as it is. Count and total given to the
/// selector are those of the items that remain.
#[derive(Debug, Clone)]
pub struct Remaining<S> {
    inner: S,
    drawn: BTreeSet<String>,
}

impl<S: Selector> Remaining<S> {
    /// Offers what is not among `drawn` to this selector.
    pub fn new(inner: S, drawn: impl IntoIterator<Item = String>) -> Self {
        Self {
            inner,
            drawn: drawn.into_iter().collect(),
        }
    }
}

impl<S: Selector> Selector for Remaining<S> {
    fn offer(&mut self, id: &str, amount: i64) -> Result<(), SelectionError> {
        if self.drawn.contains(id) {
            return Ok(());
        }
        self.inner.offer(id, amount)
    }

    fn finish(self: Box<Self>) -> Result<Vec<Selected>, SelectionError> {
        Box::new(self.inner).finish()
    }
}

/// All items, ascending by id, each once: the exhaustive stratum.
#[derive(Debug, Clone, Default)]
pub struct Census {
    ids: BTreeSet<String>,
}

impl Selector for Census {
    fn offer(&mut self, id: &str, _amount: i64) -> Result<(), SelectionError> {
        if self.ids.insert(id.to_owned()) {
            Ok(())
        } else {
            Err(SelectionError::ItemDoubled(id.to_owned()))
        }
    }

    fn finish(self: Box<Self>) -> Result<Vec<Selected>, SelectionError> {
        let mut selected = Vec::with_capacity(self.ids.len());
        self.ids.into_iter().for_each(|id| push(&mut selected, id, 1));
        Ok(selected)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_one_decision_are_one_unit() {
        let mut clusters = Clusters::new(Census::default());
        for (key, amount) in [("a", 5), ("b", 9), ("b", -3), ("b", 1), ("c", 0)] {
            clusters.offer(key, amount).unwrap();
        }
        assert_eq!(clusters.clone().open, Some(("c".to_owned(), 0)));
        let late = clusters.offer("b", 1).unwrap_err();
        let (id, after) = ("b".to_owned(), "c".to_owned());
        assert_eq!(late, SelectionError::OutOfOrder { id, after });
        assert_eq!(Box::new(clusters).finish().unwrap().len(), 3);

        let mut large = Clusters::new(Census::default());
        large.offer("a", i64::MAX).unwrap();
        large.offer("a", 1).unwrap();
        assert_eq!(large.offer("b", 1).unwrap_err().code(), "AMOUNT_TOO_LARGE");
    }

    #[test]
    fn items_drawn_before_are_left_out() {
        let mut remaining = Remaining::new(Census::default(), ["b".to_owned()]);
        for id in ["c", "b", "a"] {
            remaining.offer(id, 1).unwrap();
        }
        let drawn = Box::new(remaining).finish().unwrap();
        let ids: Vec<&str> = drawn.iter().map(|item| item.id.as_str()).collect();
        assert_eq!(ids, ["a", "c"]);
    }
}
