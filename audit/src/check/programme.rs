//! The built-in test programme, until catalogues come. A programme never changes: a change is a new version.

use entity::check_answer::Dimension;

use crate::Language;

/// One attribute (Prüfmerkmal) of a programme.
#[derive(Debug)]
pub struct Attribute {
    /// Its code in answers.
    pub code: &'static str,
    /// What it is about.
    pub dimension: Dimension,
    /// The question in German.
    pub german: &'static str,
    /// The question in English.
    pub english: &'static str,
    /// The norm it stands on.
    pub norm: &'static str,
}

impl Attribute {
    /// The question.
    pub const fn text(&self, language: Language) -> &'static str {
        match language {
            Language::De => self.german,
            Language::En => self.english,
        }
    }
}

/// A test programme: its attributes in the order they are worked through.
#[derive(Debug)]
pub struct Programme {
    /// Name and version, as kept with every check.
    pub id: &'static str,
    /// Title in German.
    pub german: &'static str,
    /// Title in English.
    pub english: &'static str,
    /// Its attributes.
    pub attributes: &'static [Attribute],
}

impl Programme {
    /// The attribute with this code.
    pub fn attribute(&self, code: &str) -> Option<&'static Attribute> {
        self.attributes.iter().find(|attribute| attribute.code == code)
    }
}

/// Every programme; the first is used where none is named.
pub const PROGRAMMES: &[Programme] = &[Programme {
    id: "sgb2-grundprogramm/1",
    german: "Grundprogramm SGB II",
    english: "Basic programme SGB II",
    attributes: ATTRIBUTES,
}];

/// The programme of this name and version.
pub fn programme(id: &str) -> Option<&'static Programme> {
    PROGRAMMES.iter().find(|programme| programme.id == id)
}

const fn attribute(
    code: &'static str,
    dimension: Dimension,
    german: &'static str,
    english: &'static str,
    norm: &'static str,
) -> Attribute {
    Attribute {
        code,
        dimension,
        german,
        english,
        norm,
    }
}

const ATTRIBUTES: &[Attribute] = &[
    attribute(
        "ENTITLEMENT",
        Dimension::Legality,
        "Die Voraussetzungen des Anspruchs lagen vor (Alter, gewöhnlicher Aufenthalt, Erwerbsfähigkeit, Hilfebedürftigkeit).",
        "The conditions of the claim were met (age, habitual residence, ability to work, need).",
        "§§ 7 bis 9 SGB II",
    ),
    attribute(
        "PRIORITY",
        Dimension::Legality,
        "Vorrangige Leistungen und Ansprüche wurden geprüft und verfolgt (Wohngeld, Kinderzuschlag, Unterhalt).",
        "Prior benefits and claims were examined and pursued (housing benefit, child supplement, maintenance).",
        "§§ 5, 12a, 33 SGB II",
    ),
    attribute(
        "DISCRETION",
        Dimension::Legality,
        "Wo das Gesetz Ermessen einräumt, wurde es ausgeübt und begründet.",
        "Where the law leaves discretion, it was exercised and reasons were given.",
        "§ 39 SGB I, § 35 SGB X",
    ),
    attribute(
        "FORM",
        Dimension::Regularity,
        "Der Bescheid ist bestimmt, begründet und mit einer Rechtsbehelfsbelehrung versehen.",
        "The decision is definite, gives reasons and instructs on remedies.",
        "§§ 33, 35, 36 SGB X",
    ),
    attribute(
        "FILE",
        Dimension::Regularity,
        "Die Akte ist vollständig: Antrag, Nachweise und Berechnung sind nachvollziehbar.",
        "The file is complete: application, evidence and calculation can be followed.",
        "§ 6b Abs. 4 SGB II",
    ),
    attribute(
        "FOUR_EYES",
        Dimension::Regularity,
        "Feststellung und Anordnung wurden von zwei Personen im Rahmen ihrer Befugnis gezeichnet.",
        "Certification and payment order were signed by two people within their authority.",
        "Haushaltsrecht des Kreises; § 6b Abs. 4 SGB II",
    ),
    attribute(
        "NEEDS",
        Dimension::Calculation,
        "Regelbedarf, Mehrbedarfe und die Bedarfsgemeinschaft sind richtig angesetzt.",
        "Standard needs, additional needs and the community of needs are set correctly.",
        "§§ 7 Abs. 3, 20, 21, 23 SGB II",
    ),
    attribute(
        "HOUSING",
        Dimension::Calculation,
        "Die Bedarfe für Unterkunft und Heizung sind in der anzuerkennenden Höhe berechnet.",
        "Costs of housing and heating are calculated at the amount to be accepted.",
        "§ 22 SGB II",
    ),
    attribute(
        "INCOME",
        Dimension::Calculation,
        "Einkommen und Vermögen sind mit den richtigen Absetzungen angerechnet.",
        "Income and assets are taken into account with the correct deductions.",
        "§§ 11 bis 12 SGB II",
    ),
    attribute(
        "PAYEE",
        Dimension::Payment,
        "Gezahlt wurde an die richtige Person, einmal und rechtzeitig.",
        "Payment went to the right person, once and in time.",
        "§§ 42, 22 Abs. 7 SGB II",
    ),
    attribute(
        "AMOUNT_PAID",
        Dimension::Payment,
        "Der gezahlte Betrag entspricht dem Bescheid und ist im richtigen Haushaltsjahr gebucht.",
        "The amount paid equals the decision and is booked in the right budget year.",
        "§ 17 KoA-VV",
    ),
    attribute(
        "BEARER",
        Dimension::Funding,
        "Die Ausgabe ist nach Grund und Höhe dem richtigen Kostenträger zugeordnet (Bund, Kommune, Land, EU).",
        "The expenditure is assigned to the right bearer by reason and amount (Bund, Kommune, Land, EU).",
        "§§ 6b Abs. 2 und 4, 46 SGB II",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_and_every_dimension_is_covered() {
        for programme in PROGRAMMES {
            let mut codes: Vec<_> = programme
                .attributes
                .iter()
                .map(|attribute| attribute.code)
                .collect();
            codes.sort_unstable();
            codes.dedup();
            assert_eq!(codes.len(), programme.attributes.len());
            for dimension in Dimension::ALL {
                assert!(
                    programme
                        .attributes
                        .iter()
                        .any(|attribute| attribute.dimension == *dimension)
                );
            }
            assert!(super::programme(programme.id).is_some());
        }
    }
}
