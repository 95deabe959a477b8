//! The legal bases a grant may stand on: a maintained list. What is not in it carries no grant.
//!
//! A new body is a new line here, with the norm that gives it its right. Codes never change; a norm that moves keeps its code.

use entity::grant::{BodyKind, Kind};

/// A norm, the bodies that have a right by it, and which right that is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Basis {
    /// Code; never changes.
    pub code: &'static str,
    /// The norm.
    pub citation: &'static str,
    /// Whose right it is, in German.
    pub body: &'static str,
    /// What kind of body that is.
    pub body_kind: BodyKind,
    /// The right, in a German sentence.
    pub right: &'static str,
    /// Grants it carries.
    pub kinds: &'static [Kind],
}

const INSPECTION: &[Kind] = &[Kind::Inspection];

/// The list.
pub const BASES: &[Basis] = &[
    Basis {
        code: "SGB2_6B_3",
        citation: "§ 6b (3) SGB II",
        body: "Bundesrechnungshof",
        body_kind: BodyKind::Public,
        right: "Prüft die Leistungsgewährung.",
        kinds: INSPECTION,
    },
    Basis {
        code: "SGB2_6B_4",
        citation: "§ 6b (4) SGB II",
        body: "Bundesministerium für Arbeit und Soziales",
        body_kind: BodyKind::Public,
        right: "Prüft, ob Einnahmen und Ausgaben begründet, belegt, wirtschaftlich und sparsam sind.",
        kinds: INSPECTION,
    },
    Basis {
        code: "SGB2_48",
        citation: "§ 48 SGB II",
        body: "Aufsichtsbehörde des Landes",
        body_kind: BodyKind::Public,
        right: "Führt die Aufsicht über den zugelassenen kommunalen Träger.",
        kinds: INSPECTION,
    },
    Basis {
        code: "BHO_91",
        citation: "§ 91 BHO",
        body: "Bundesrechnungshof",
        body_kind: BodyKind::Public,
        right: "Prüft bei Stellen außerhalb der Bundesverwaltung, die Mittel des Bundes bewirtschaften.",
        kinds: INSPECTION,
    },
    Basis {
        code: "BHO_95",
        citation: "§ 95 BHO",
        body: "Bundesrechnungshof",
        body_kind: BodyKind::Public,
        right: "Verlangt Unterlagen und Auskünfte, die er für erforderlich hält.",
        kinds: INSPECTION,
    },
    Basis {
        code: "SGB10_69_5",
        citation: "§ 69 (5), § 67c (3) SGB X",
        body: "Rechnungshof oder andere Stelle mit Aufsichts-, Kontroll- oder Prüfungsbefugnis",
        body_kind: BodyKind::Public,
        right: "Erhält Sozialdaten, soweit ihre gesetzlichen Aufgaben es erfordern.",
        kinds: INSPECTION,
    },
    Basis {
        code: "LHO_NRW_91",
        citation: "§ 91 LHO NRW",
        body: "Landesrechnungshof Nordrhein-Westfalen",
        body_kind: BodyKind::Public,
        right: "Prüft bei Stellen außerhalb der Landesverwaltung, die Mittel des Landes bewirtschaften.",
        kinds: INSPECTION,
    },
    Basis {
        code: "GO_NRW_101",
        citation: "§ 53 (1) KrO NRW, §§ 101 ff. GO NRW",
        body: "Örtliche Rechnungsprüfung",
        body_kind: BodyKind::Public,
        right: "Prüft Haushalt und Verwaltung des Kreises; kann auch im Auftrag prüfen.",
        kinds: &[Kind::Inspection, Kind::Commission],
    },
    Basis {
        code: "GO_NRW_105",
        citation: "§ 53 (1) KrO NRW, § 105 GO NRW",
        body: "Gemeindeprüfungsanstalt Nordrhein-Westfalen",
        body_kind: BodyKind::Public,
        right: "Prüft überörtlich.",
        kinds: INSPECTION,
    },
    Basis {
        code: "EU_2021_1060_77",
        citation: "Art. 77 Verordnung (EU) 2021/1060",
        body: "Prüfbehörde des Europäischen Sozialfonds Plus",
        body_kind: BodyKind::Public,
        right: "Prüft Systeme und Vorhaben, die die Europäische Union mitfinanziert.",
        kinds: INSPECTION,
    },
    Basis {
        code: "CONTRACT",
        citation: "§ 78 (1), (2) SGB X und Vertrag mit dem Kreis",
        body: "Beauftragter Dritter, etwa eine Wirtschaftsprüfungsgesellschaft",
        body_kind: BodyKind::NonPublic,
        right: "Prüft im Auftrag des Kreises, nach Verpflichtung und Unterweisung seines Personals.",
        kinds: &[Kind::Inspection, Kind::Commission],
    },
];

/// The basis with this code.
pub fn basis(code: &str) -> Option<&'static Basis> {
    BASES.iter().find(|basis| basis.code == code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_and_every_basis_carries_something() {
        for (place, one) in BASES.iter().enumerate() {
            assert!(BASES[..place].iter().all(|other| other.code != one.code));
            assert!(!one.kinds.is_empty(), "{}", one.code);
            assert_eq!(basis(one.code), Some(one));
        }
        assert_eq!(basis("SGB2_6B"), None);
    }
}
