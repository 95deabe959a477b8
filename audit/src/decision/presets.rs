//! The bodies of each preset. What a source leaves open has a default here, and the operator can set it otherwise
//! (`decisions` in the configuration).
//!
//! | open in the source | default |
//! |---|---|
//! | what an abstention is | neither assent nor dissent |
//! | how many have to take part | more than half of the seats, vacant ones counted; in a parity committee of each side |
//! | how long before a session it is called | seven days; fewer where everybody who sits in the body waives them with the vote |
//! | whether who wrote a paper votes on it | yes, as a member; nobody else does |
//! | whether votes are secret | no: they are by name, and the members see them |
//! | whether the deputy of the chair votes for the chair's seat | no: one seat one vote, and nobody has two seats; the deputy stands in for the chair's decision |
//! | a tie in a parity committee | no decision; the chair's vote settles it only where that is set |

use entity::body::{Abstention, OnDissent, Quorum};
use entity::paper::Matter;

use super::body::{Bench, Body, Office, Rules, SeatKind};

const fn rules(on_dissent: OnDissent) -> Rules {
    Rules {
        on_dissent,
        abstention: Abstention::Neither,
        quorum: Quorum::MoreThanHalf,
        calling_days: 7,
        author_votes: true,
        casting_vote: false,
    }
}

const fn one(
    key: &'static str,
    name: &'static str,
    bench: Bench,
    named_by: &'static str,
    office: Office,
) -> SeatKind {
    some(key, name, bench, [1, 1], named_by, office)
}

const fn some(
    key: &'static str,
    name: &'static str,
    bench: Bench,
    [least, most]: [i32; 2],
    named_by: &'static str,
    office: Office,
) -> SeatKind {
    SeatKind {
        key,
        name,
        bench,
        least,
        most,
        named_by,
        office,
    }
}

const VORSTAND: Body = Body {
    key: "VORSTAND",
    name: "Vorstand",
    short: "VS",
    kinds: &[
        one("LANDRAT", "Landrat", Bench::Kreis, "kraft Amtes", Office::Chair),
        one(
            "FACHBEREICHSLEITUNG",
            "Fachbereichsleitung Jobcenter",
            Bench::Kreis,
            "kraft Amtes",
            Office::DeputyChair,
        ),
        one(
            "STADT_SMALL",
            "Vertretung der kleineren Städte",
            Bench::Stadt,
            "die kleineren Städte",
            Office::Member,
        ),
        one(
            "STADT_MEDIUM",
            "Vertretung der mittleren Städte",
            Bench::Stadt,
            "die mittleren Städte",
            Office::Member,
        ),
        one(
            "STADT_LARGE",
            "Vertretung der größeren Städte",
            Bench::Stadt,
            "die größeren Städte",
            Office::Member,
        ),
    ],
    competences: Matter::ALL,
    reserved: &[],
    rules: rules(OnDissent::ChairDecides),
    tells: None,
    source: "Evaluation SGB II im Kreis Recklinghausen, Nr. 4 (Vorstand)",
};

const STEUERUNGSGRUPPE: Body = Body {
    key: "STEUERUNGSGRUPPE",
    name: "Steuerungsgruppe",
    short: "SG",
    kinds: &[
        one(
            "KREIS",
            "Dezernats- oder Fachbereichsleitung des Kreises",
            Bench::Kreis,
            "der Kreis",
            Office::Decides,
        ),
        one(
            "GLEICHSTELLUNG",
            "Gleichstellungsbeauftragte des Kreises",
            Bench::Kreis,
            "kraft Amtes",
            Office::Member,
        ),
        some(
            "STADT",
            "Dezernats- oder Fachbereichsleitung der Stadt",
            Bench::Stadt,
            [1, 20],
            "die Stadt",
            Office::Member,
        ),
    ],
    competences: &[
        Matter::Principle,
        Matter::Budget,
        Matter::Benchmarking,
        Matter::Targets,
        Matter::Audit,
        Matter::Personnel,
        Matter::Organisation,
    ],
    reserved: &[Matter::Personnel, Matter::Organisation],
    rules: rules(OnDissent::KreisDecides),
    tells: None,
    source: "Vertrag zur Heranziehung der Städte im Ennepe-Ruhr-Kreis, Nr. 2.4 (Steuerungsgruppe)",
};

const LEITUNGSGRUPPE: Body = Body {
    key: "LEITUNGSGRUPPE",
    name: "Leitungsgruppe",
    short: "LG",
    kinds: &[
        one(
            "LEITUNG",
            "Leitung der JobAgentur",
            Bench::Kreis,
            "kraft Amtes",
            Office::Decides,
        ),
        some(
            "SACHGEBIETSLEITUNG",
            "Sachgebietsleitung beim Kreis",
            Bench::Kreis,
            [1, 20],
            "kraft Amtes",
            Office::Member,
        ),
        some(
            "REGIONALSTELLENLEITUNG",
            "Regionalstellenleitung",
            Bench::Stadt,
            [1, 20],
            "kraft Amtes",
            Office::Member,
        ),
    ],
    competences: &[Matter::Operations, Matter::Audit],
    reserved: &[],
    rules: rules(OnDissent::LeitungDecides),
    tells: Some("STEUERUNGSGRUPPE"),
    source: "Vertrag zur Heranziehung der Städte im Ennepe-Ruhr-Kreis, Nr. 2.4 (Leitungsgruppe)",
};

const BEIRAT: Body = Body {
    key: "ARBEITSMARKTBEIRAT",
    name: "Arbeitsmarktbeirat",
    short: "AB",
    kinds: &[some(
        "MITGLIED",
        "Kammern, Verbände, Gewerkschaften, Bildungsträger, Ämter",
        Bench::Partner,
        [1, 40],
        "die entsendende Stelle",
        Office::Member,
    )],
    competences: &[Matter::Programme],
    reserved: &[],
    rules: rules(OnDissent::AdviceOnly),
    tells: None,
    source: "Vertrag zur Heranziehung der Städte im Ennepe-Ruhr-Kreis, Nr. 2.4 (Arbeitsmarktbeirat)",
};

/// The paper on the cooperative Jobcenter says that both sides have as many seats, and not how many: three each, as was usual in
/// its predecessor. Who has the chair it leaves open too; here the first seat of the municipality.
const KOOPERATIONSAUSSCHUSS: Body = Body {
    key: "KOOPERATIONSAUSSCHUSS",
    name: "Kooperationsausschuss",
    short: "KA",
    kinds: &[
        some(
            "KOMMUNE",
            "Vertretung der Kommune",
            Bench::Kommune,
            [3, 3],
            "die Kommune",
            Office::Chair,
        ),
        some(
            "AGENTUR",
            "Vertretung der Agentur für Arbeit",
            Bench::Agentur,
            [3, 3],
            "die Agentur für Arbeit",
            Office::Member,
        ),
    ],
    competences: &[
        Matter::Programme,
        Matter::Targets,
        Matter::Personnel,
        Matter::Organisation,
    ],
    reserved: &[],
    rules: rules(OnDissent::Parity),
    tells: None,
    source: "Das kooperative Jobcenter, B (Kooperationsausschuss)",
};

/// The bodies of a preset of the Jobcenter.
pub const fn bodies(preset: &str) -> &'static [Body] {
    match preset.as_bytes() {
        b"recklinghausen" => &[VORSTAND],
        b"ennepe-ruhr" => &[STEUERUNGSGRUPPE, LEITUNGSGRUPPE, BEIRAT],
        b"kooperativ" => &[KOOPERATIONSAUSSCHUSS],
        _ => &[],
    }
}

/// The body of this name, whichever preset has it.
pub fn body(key: &str) -> Option<&'static Body> {
    [
        &VORSTAND,
        &STEUERUNGSGRUPPE,
        &LEITUNGSGRUPPE,
        &BEIRAT,
        &KOOPERATIONSAUSSCHUSS,
    ]
    .into_iter()
    .find(|body| body.key == key)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::jobcenter::PRESETS;

    fn every() -> impl Iterator<Item = &'static Body> {
        PRESETS.iter().flat_map(|preset| bodies(preset.key))
    }

    #[test]
    fn every_preset_has_its_bodies_and_every_body_a_name_of_its_own() {
        assert!(PRESETS.iter().all(|preset| !bodies(preset.key).is_empty()));
        assert!(bodies("anderswo").is_empty());
        let keys: BTreeSet<_> = every().map(|body| body.key).collect();
        let shorts: BTreeSet<_> = every().map(|body| body.short).collect();
        assert_eq!((keys.len(), shorts.len()), (every().count(), every().count()));
        for found in every() {
            assert_eq!(body(found.key).map(|body| body.name), Some(found.name));
            assert!(found.tells.is_none_or(|key| body(key).is_some()));
        }
    }

    #[test]
    fn whoever_decides_over_a_dissent_has_a_seat() {
        for body in every() {
            let first = |office| body.kinds.iter().filter(|kind| kind.office == office).count();
            let expected = match body.rules.on_dissent {
                OnDissent::ChairDecides | OnDissent::Parity => first(Office::Chair),
                OnDissent::LeitungDecides | OnDissent::KreisDecides => first(Office::Decides),
                OnDissent::AdviceOnly => 1,
            };
            assert_eq!(expected, 1, "{}", body.key);
            assert!(
                body.kinds
                    .iter()
                    .all(|kind| 1 <= kind.least && kind.least <= kind.most)
            );
            assert!(
                body.reserved
                    .iter()
                    .all(|matter| body.competences.contains(matter))
            );
        }
    }

    /// As the source says: the Landrat in the chair, the head of the Fachbereich as deputy, three Städte by size.
    #[test]
    fn the_vorstand_has_five() {
        assert_eq!(VORSTAND.kinds.iter().map(|kind| kind.most).sum::<i32>(), 5);
        let benches = VORSTAND
            .kinds
            .iter()
            .filter(|kind| kind.bench == Bench::Stadt)
            .count();
        assert_eq!(benches, 3);
    }

    #[test]
    fn a_parity_committee_has_as_many_seats_on_either_side() {
        for body in every().filter(|body| body.rules.on_dissent == OnDissent::Parity) {
            let seats: BTreeSet<_> = body.kinds.iter().map(|kind| (kind.least, kind.most)).collect();
            assert_eq!((body.kinds.len(), seats.len()), (2, 1), "{}", body.key);
        }
    }
}
