//! What an evaluation cannot find or does not say.

use crate::Language;

/// What an evaluation cannot find or does not say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exclusion {
    /// Items that are missing from the population.
    MissingItems,
    /// Items of zero and below zero, in monetary unit samples.
    NotPositive,
    /// Errors that leave the total as it is, in monetary unit samples.
    WithoutEffectOnTotal,
    /// The limit of a rate says nothing about amounts.
    RateOnly,
    /// Strata are not proportional: no limit over all of them.
    NoOverallLimit,
    /// Limits of single Bezirksstellen hold each for itself, not all at once.
    LimitsHoldSingly,
    /// Bounds hold for their stratum, none over all.
    BoundsByStratum,
    /// The parameter set is of printed tables, and the factors here are exact.
    ExactFactors,
    /// Cases were drawn: rates are rates of cases.
    CasesCounted,
    /// Items are still open.
    Provisional,
    /// Only errors of one dimension are counted.
    OneDimension,
    /// The sample was drawn elsewhere: the selection is not proven here.
    DrawnElsewhere,
    /// Own staff's items are among those counted, and the caller is not of their group: by its parts the caller would learn
    /// of single ones.
    PartsWithheld,
    /// A person chose the items: nothing follows for the others.
    NotProjected,
    /// The sample was extended without a rule that was fixed before, or is such an extension.
    UnplannedExtension,
    /// Items that could not be checked gave their place to others.
    Replaced,
    /// Items that cannot be checked count as in error with their full amount.
    CountedNotEvidenced,
    /// Systemic and anomalous errors are projected like random ones, but by the methods of the EC guidance.
    KnownErrorsProjected,
    /// Systemic and anomalous errors that wait for approval count as random.
    KnownErrorsWaiting,
}

impl Exclusion {
    /// The code in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::MissingItems => "MISSING_ITEMS",
            Self::NotPositive => "NOT_POSITIVE",
            Self::WithoutEffectOnTotal => "WITHOUT_EFFECT_ON_TOTAL",
            Self::RateOnly => "RATE_ONLY",
            Self::NoOverallLimit => "NO_OVERALL_LIMIT",
            Self::LimitsHoldSingly => "LIMITS_HOLD_SINGLY",
            Self::BoundsByStratum => "BOUNDS_BY_STRATUM",
            Self::ExactFactors => "EXACT_FACTORS",
            Self::CasesCounted => "CASES_COUNTED",
            Self::Provisional => "PROVISIONAL",
            Self::OneDimension => "ONE_DIMENSION",
            Self::DrawnElsewhere => "DRAWN_ELSEWHERE",
            Self::PartsWithheld => "PARTS_WITHHELD",
            Self::NotProjected => "NOT_PROJECTED",
            Self::UnplannedExtension => "UNPLANNED_EXTENSION",
            Self::Replaced => "REPLACED",
            Self::CountedNotEvidenced => "COUNTED_NOT_EVIDENCED",
            Self::KnownErrorsProjected => "KNOWN_ERRORS_PROJECTED",
            Self::KnownErrorsWaiting => "KNOWN_ERRORS_WAITING",
        }
    }

    /// The sentence for people.
    pub const fn text(self, language: Language) -> &'static str {
        let (german, english) = match self {
            Self::MissingItems => (
                "Was in der Grundgesamtheit fehlt, kann keine Stichprobe finden.",
                "No sample can find what is missing from the population.",
            ),
            Self::NotPositive => (
                "Positionen mit Null oder negativem Betrag hatten keine Auswahlchance und sind gesondert zu prüfen.",
                "Items of zero or below zero had no chance of selection and have to be examined apart.",
            ),
            Self::WithoutEffectOnTotal => (
                "Formfehler, falscher Kostenträger und falsches Jahr ändern den Gesamtbetrag nicht und zählen hier mit null; in den Fehlerarten sind sie enthalten.",
                "Formal errors, a wrong bearer and a wrong year leave the total as it is and count as zero here; the kinds of error include them.",
            ),
            Self::RateOnly => (
                "Der Anteil fehlerhafter Positionen sagt nichts über fehlerhafte Beträge.",
                "The rate of items in error says nothing about amounts in error.",
            ),
            Self::NoOverallLimit => (
                "Die Schichten sind nicht proportional aufgeteilt; eine exakte Obergrenze über alle gibt es nicht, nur je Schicht.",
                "The strata are not allocated in proportion; there is no exact upper limit over all, only one for each.",
            ),
            Self::LimitsHoldSingly => (
                "Die Obergrenzen je Bezirksstelle gelten jede für sich mit der genannten Sicherheit, nicht alle zugleich.",
                "The upper limits of the Bezirksstellen hold each for itself with the given confidence, not all at once.",
            ),
            Self::BoundsByStratum => (
                "Die Stringer-Grenzen gelten jede für ihre Schicht; über alle Schichten gibt es keine. Eine Grenze über alle rechnet der Standardansatz der EU-Kommission (evaluationBy.ec).",
                "Each Stringer bound holds for its stratum; there is none over all. The standard approach of the European Commission has one (evaluationBy.ec).",
            ),
            Self::ExactFactors => (
                "Der angeführte Parametersatz rechnet mit den Tabellen des EU-Leitfadens; die Grenzen hier haben exakte Faktoren. Mit den Tabellen rechnet evaluationBy.ec.",
                "The parameter set that is cited has the tables of the EC guidance; the limits here have exact factors. evaluationBy.ec has the tables.",
            ),
            Self::CasesCounted => (
                "Gezogen und gezählt sind Fälle mit allen ihren Zeilen; ein Fall ist fehlerhaft, wenn eine Zeile es ist. Die Anteile sagen nichts über einzelne Zeilen.",
                "Cases were drawn and are counted, each with all its lines; a case is in error where one line is. The rates say nothing about single lines.",
            ),
            Self::Provisional => (
                "Vorläufig: noch nicht alle Positionen sind geprüft.",
                "Provisional: not all items are checked yet.",
            ),
            Self::OneDimension => (
                "Gezählt sind nur Positionen mit Fehlern in der gewählten Dimension.",
                "Only items with errors in the chosen dimension are counted.",
            ),
            Self::DrawnElsewhere => (
                "Die Stichprobe wurde anderswo gezogen; die Auswahl ist hier nicht nachvollzogen.",
                "The sample was drawn elsewhere; the selection is not retraced here.",
            ),
            Self::PartsWithheld => (
                "Unter den Positionen sind solche des eigenen Personals; Aufgliederungen sieht nur, wer sie bearbeitet (§ 35 Abs. 1 S. 3 SGB I).",
                "Items of own staff are among those counted; the breakdown is for those who handle them (§ 35 (1) S. 3 SGB I).",
            ),
            Self::Replaced => (
                "Positionen, die sich nicht prüfen ließen, sind mit Begründung und Vier-Augen-Prinzip durch die nächste Losnummer ersetzt; jede steht an der Stichprobe.",
                "Items that could not be checked were replaced by the next ticket, with a reason and a second person; each is told with the sample.",
            ),
            Self::CountedNotEvidenced => (
                "Positionen, die sich nicht prüfen lassen und nicht ersetzt sind, zählen mit vollem Betrag als Fehler (ISA 530 Tz. 11).",
                "Items that cannot be checked and were not replaced count as errors with their full amount (ISA 530, paragraph 11).",
            ),
            Self::KnownErrorsProjected => (
                "Abgegrenzte systemische und anomale Fehler stehen nur in evaluationBy.ec gesondert; alle anderen Verfahren, und jede Auswertung einer einzelnen Dimension, rechnen sie wie zufällige hoch.",
                "Delimited systemic and anomalous errors are set apart in evaluationBy.ec alone; all other methods, and every evaluation of a single dimension, project them like random ones.",
            ),
            Self::KnownErrorsWaiting => (
                "Vorgeschlagene systemische oder anomale Fehler warten auf Genehmigung und zählen bis dahin als zufällig.",
                "Systemic or anomalous errors that were proposed wait for approval, and count as random until then.",
            ),
            Self::UnplannedExtension => (
                "UNGEPLANTE ERWEITERUNG: Umfang und Annahmezahlen lagen vor der ersten Ziehung nicht fest. Jede Stichprobe ist für sich ausgewertet; im Bericht stehen beide Ergebnisse.",
                "UNPLANNED EXTENSION: size and acceptance numbers were not fixed before the first draw. Each sample is evaluated for itself; the report states both results.",
            ),
            Self::NotProjected => (
                "Eine bewusste Auswahl sagt nur über ihre eigenen Positionen etwas aus; sie wird nicht hochgerechnet.",
                "A judgemental sample speaks of its own items only; it is not projected.",
            ),
        };
        match language {
            Language::De => german,
            Language::En => english,
        }
    }
}
