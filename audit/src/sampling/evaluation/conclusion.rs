//! What a result says about the tolerable error.

/// What follows for the tolerable error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Conclusion {
    /// The projected error exceeds the tolerable one.
    Material,
    /// The upper limit stays below the tolerable error.
    NotMaterial,
    /// Neither: the sample does not decide.
    Inconclusive,
}

/// Material if `projected > tolerable`, not material if `upper < tolerable`, otherwise inconclusive.
///
/// All three in the same unit. Equality of limit and tolerable error is inconclusive (EC guidance EGESIF 16-0014, 4.12).
pub fn conclude<T: Ord>(projected: &T, upper: &T, tolerable: &T) -> Conclusion {
    if projected > tolerable {
        Conclusion::Material
    } else if upper < tolerable {
        Conclusion::NotMaterial
    } else {
        Conclusion::Inconclusive
    }
}

#[cfg(test)]
mod tests {
    use super::super::attribute;
    use super::*;

    #[test]
    fn the_conclusion_follows_the_rule() {
        assert_eq!(conclude(&6, &9, &5), Conclusion::Material);
        assert_eq!(conclude(&3, &4, &5), Conclusion::NotMaterial);
        assert_eq!(conclude(&3, &5, &5), Conclusion::Inconclusive);
        assert_eq!(conclude(&5, &9, &5), Conclusion::Inconclusive);
        let result = attribute(68, 2, "0.95".parse().unwrap()).unwrap();
        assert_eq!(result.conclude("0.09".parse().unwrap()), Conclusion::NotMaterial);
    }
}
