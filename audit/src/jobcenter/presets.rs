//! Presets: how a Kreis is organised and what it calls its parts.

/// A Jobcenter to start from.
#[derive(Debug)]
pub struct Preset {
    /// Name in the configuration.
    pub key: &'static str,
    /// Name of the Jobcenter.
    pub name: &'static str,
    /// What one part is called.
    pub label: &'static str,
    /// The plural.
    pub label_plural: &'static str,
    /// Its Bezirksstellen in order; numbers are "01" and so on, "00" is the Fachbereich.
    pub bezirksstellen: &'static [&'static str],
    /// Name of the central department.
    pub fachbereich: &'static str,
}

/// Every preset.
pub const PRESETS: &[Preset] = &[
    Preset {
        key: "recklinghausen",
        name: "Jobcenter Kreis Recklinghausen",
        label: "Bezirksstelle",
        label_plural: "Bezirksstellen",
        bezirksstellen: &[
            "Castrop-Rauxel",
            "Datteln",
            "Dorsten",
            "Gladbeck",
            "Haltern am See",
            "Herten",
            "Marl",
            "Oer-Erkenschwick",
            "Recklinghausen",
            "Waltrop",
        ],
        fachbereich: "Fachbereich Jobcenter",
    },
    Preset {
        key: "ennepe-ruhr",
        name: "Jobcenter EN",
        label: "Regionalstelle",
        label_plural: "Regionalstellen",
        bezirksstellen: &[
            "Ennepetal/Breckerfeld",
            "Gevelsberg",
            "Hattingen",
            "Herdecke/Wetter",
            "Schwelm",
            "Sprockhövel",
            "Witten",
        ],
        fachbereich: "Koordinierungsstelle",
    },
    Preset {
        key: "kooperativ",
        name: "Kooperatives Jobcenter",
        label: "Standort",
        label_plural: "Standorte",
        bezirksstellen: &["Mitte", "Nord", "Süd"],
        fachbereich: "Geschäftsführung",
    },
];

/// The preset of this name.
pub fn preset(key: &str) -> Option<&'static Preset> {
    PRESETS.iter().find(|preset| preset.key == key)
}
