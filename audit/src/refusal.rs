//! Expected refusals: a code that never changes, the input field it is about, and a message in two languages.

use crate::Language;

/// One refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// What was wrong.
    pub code: Code,
    /// The input field, dotted: `input.columns.amount`. Empty where no single field is to blame.
    pub path: String,
    /// A number, line or name the message shows. Never social data.
    pub detail: String,
}

impl Refusal {
    /// A refusal without detail.
    pub fn new(code: Code, path: &str) -> Self {
        Self {
            code,
            path: path.to_owned(),
            detail: String::new(),
        }
    }

    /// The same with a detail.
    #[must_use]
    pub fn with(mut self, detail: impl std::fmt::Display) -> Self {
        self.detail = detail.to_string();
        self
    }

    /// The refusal that was kept as code and detail; none where there is no such code.
    pub fn kept(code: &str, detail: &str) -> Option<Self> {
        let code = Code::ALL.iter().copied().find(|known| known.as_str() == code)?;
        Some(Self::new(code, "").with(detail))
    }

    /// The message: what is wrong and what to do next.
    pub fn message(&self, language: Language) -> String {
        let text = self.code.text(language);
        if self.detail.is_empty() {
            text.replace(" ({})", "")
        } else {
            text.replace("{}", &self.detail)
        }
    }
}

/// A text that is needed and has a greatest length in characters.
pub(crate) fn text(path: &str, text: &str, most: usize) -> Option<Refusal> {
    if text.trim().is_empty() {
        Some(Refusal::new(Code::Required, path))
    } else {
        optional_text(path, text, most)
    }
}

/// A text that may be empty. Control characters other than line breaks and tabs are refused: PostgreSQL does not take
/// all of them, and nobody means them.
pub(crate) fn optional_text(path: &str, text: &str, most: usize) -> Option<Refusal> {
    if text.chars().count() > most {
        Some(Refusal::new(Code::TooLong, path).with(most))
    } else if text
        .chars()
        .any(|letter| letter.is_control() && !matches!(letter, '\n' | '\r' | '\t'))
    {
        Some(Refusal::new(Code::InvalidValue, path))
    } else {
        None
    }
}

macro_rules! codes {
    ($($name:ident = $code:literal: $de:literal, $en:literal;)+) => {
        /// What was wrong. Codes never change.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Code { $(#[doc = $en] $name),+ }

        impl Code {
            /// Every code.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// The code as the API spells it.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $code),+ }
            }

            const fn text(self, language: Language) -> &'static str {
                match (self, language) { $((Self::$name, Language::De) => $de, (Self::$name, Language::En) => $en),+ }
            }
        }
    };
}

codes! {
    Required = "REQUIRED": "Diese Angabe fehlt.", "This input is missing.";
    TooLong = "TOO_LONG": "Der Text ist zu lang ({}).", "The text is too long ({}).";
    TooMany = "TOO_MANY": "Das sind zu viele Einträge auf einmal ({}).", "These are too many entries at once ({}).";
    InvalidValue = "INVALID_VALUE": "Der Wert ist hier nicht zulässig ({}).", "The value is not allowed here ({}).";
    NotFound = "NOT_FOUND": "Das Objekt gibt es nicht oder es ist für Sie nicht sichtbar.", "The object does not exist or is not visible to you.";
    StaleVersion = "STALE_VERSION": "Der Stand wurde inzwischen geändert (aktuelle Version: {}). Bitte neu laden und die Änderung wiederholen.", "It was changed in the meantime (current version: {}). Reload and repeat the change.";
    IdempotencyKeyInvalid = "IDEMPOTENCY_KEY_INVALID": "Der Wiederholungsschlüssel muss 1 bis 200 Zeichen haben.", "The idempotency key must have 1 to 200 characters.";
    IdempotencyKeyReused = "IDEMPOTENCY_KEY_REUSED": "Der Wiederholungsschlüssel wurde schon mit anderen Angaben benutzt. Bitte einen neuen Schlüssel wählen.", "The idempotency key was used before with other input. Choose a new key.";
    NameTaken = "NAME_TAKEN": "Der Name ist in dieser Prüfung schon vergeben.", "The name is taken in this engagement.";
    ReasonRequired = "REASON_REQUIRED": "Hier ist eine Begründung nötig.", "A reason is required here.";
    StorageFull = "STORAGE_FULL": "Der Speicherplatz ist erschöpft; es wurde nichts gespeichert. Bitte die Administration verständigen.", "Storage is full; nothing was saved. Tell the administration.";
    PeriodReversed = "PERIOD_REVERSED": "Der Zeitraum endet vor seinem Beginn.", "The period ends before it begins.";
    EngagementClosed = "ENGAGEMENT_CLOSED": "Die Prüfung ist abgeschlossen und kann nicht mehr geändert werden.", "The engagement is closed and can no longer be changed.";
    EngagementRestricted = "ENGAGEMENT_RESTRICTED": "Die Prüfung ist schon eingeschränkt.", "The engagement is restricted already.";
    EngagementNotRestricted = "ENGAGEMENT_NOT_RESTRICTED": "Die Prüfung ist nicht eingeschränkt.", "The engagement is not restricted.";
    EngagementHasOpenWork = "ENGAGEMENT_HAS_OPEN_WORK": "Es ist noch etwas offen: {}. Bitte erledigen, oder mit Begründung abschließen.", "Something is still open: {}. Finish it, or close with a reason.";
    PopulationFrozen = "POPULATION_FROZEN": "Die Grundgesamtheit ist festgeschrieben und kann nicht mehr geändert werden.", "The population is frozen and can no longer be changed.";
    PopulationNotFrozen = "POPULATION_NOT_FROZEN": "Die Grundgesamtheit muss erst festgeschrieben werden.", "The population has to be frozen first.";
    PopulationDiscarded = "POPULATION_DISCARDED": "Die Grundgesamtheit wurde verworfen.", "The population was discarded.";
    PopulationEmpty = "POPULATION_EMPTY": "Die Grundgesamtheit hat keine Positionen. Bitte zuerst einen Auszug importieren.", "The population has no items. Import an extract first.";
    MappingInvalid = "MAPPING_INVALID": "Die Spaltenzuordnung ist unvollständig oder widersprüchlich ({}).", "The column mapping is incomplete or contradictory ({}).";
    ImportRunning = "IMPORT_RUNNING": "Für diese Grundgesamtheit läuft gerade ein Import. Bitte sein Ende abwarten.", "An import into this population is running. Wait for its end.";
    ImportNotWaiting = "IMPORT_NOT_WAITING": "Dieser Import hat seine Datei schon erhalten. Bitte einen neuen Import eröffnen.", "This import has had its file already. Open a new import.";
    ImportOfAnother = "IMPORT_OF_ANOTHER": "Diesen Import hat eine andere Person eröffnet. Bitte einen eigenen Import eröffnen.", "Another person opened this import. Open one of your own.";
    FileAlreadyImported = "FILE_ALREADY_IMPORTED": "Dieselbe Datei wurde schon importiert ({}); es wurde nichts übernommen.", "The same file was imported before ({}); nothing was taken.";
    FileEmpty = "FILE_EMPTY": "Die Datei ist leer.", "The file is empty.";
    HeaderOnly = "HEADER_ONLY": "Die Datei hat nur eine Kopfzeile und keine Daten.", "The file has only a header line and no data.";
    HeaderRefused = "HEADER_REFUSED": "Die Kopfzeile passt nicht zur Spaltenzuordnung: {}. Es dürfen nur zugeordnete Spalten in der Datei sein.", "The header does not match the mapping: {}. Only mapped columns may be in the file.";
    WrongEncoding = "WRONG_ENCODING": "Die Datei hat nicht die angegebene Kodierung ({}). Bitte die Angabe oder die Datei berichtigen.", "The file is not in the declared encoding ({}). Correct the declaration or the file.";
    RecordTooLong = "RECORD_TOO_LONG": "Eine Zeile ist länger als zulässig ({}). Vermutlich fehlt ein schließendes Anführungszeichen.", "A line is longer than allowed ({}). A closing quotation mark is probably missing.";
    FileTooLarge = "FILE_TOO_LARGE": "Die Datei ist größer als zulässig ({}).", "The file is larger than allowed ({}).";
    UploadBroken = "UPLOAD_BROKEN": "Die Übertragung brach ab; es wurde nichts übernommen. Bitte einen neuen Import eröffnen und die Datei noch einmal senden.", "The upload broke off; nothing was taken. Open a new import and send the file again.";
    Interrupted = "INTERRUPTED": "Der Dienst wurde während des Imports beendet; es wurde nichts übernommen. Bitte den Import wiederholen.", "The service was stopped during the import; nothing was taken. Repeat the import.";
    LinesRejected = "LINES_REJECTED": "Zeilen wurden zurückgewiesen ({}); es wurde nichts übernommen. Die Liste nennt Zeile, Spalte und Grund.", "Lines were rejected ({}); nothing was taken. The list names line, column and reason.";
    ControlTotalMissing = "CONTROL_TOTAL_MISSING": "Vor dem Festschreiben muss eine Kontrollsumme aus unabhängiger Quelle erfasst sein.", "Before freezing a control total from an independent source has to be entered.";
    ControlTotalSamePerson = "CONTROL_TOTAL_SAME_PERSON": "Wer den Auszug importiert hat, darf die Kontrollsumme nicht erfassen. Bitte eine andere Person der Innenrevision, ihre Leitung oder die Qualitätssicherung beteiligen.", "Who imported the extract must not enter the control total. Involve another auditor, the head of the Innenrevision or the quality assurance.";
    ControlCellDoubled = "CONTROL_CELL_DOUBLED": "Diese Zelle (Kostenträger oder alle Zeilen, Bezirksstelle, Monat) ist doppelt ({}).", "This cell (fund or all lines, Bezirksstelle, month) appears twice ({}).";
    ControlTotalOutdated = "CONTROL_TOTAL_OUTDATED": "Seit der Kontrollsumme kam ein weiterer Auszug hinzu. Bitte die Kontrollsumme neu erfassen.", "Another extract was added after the control total. Enter the control total anew.";
    ControlTotalWithoutAllLines = "CONTROL_TOTAL_WITHOUT_ALL_LINES": "Die Kontrollsumme sagt nichts über Zeilen ohne Betrag: Fehlende Ablehnungen blieben unbemerkt. Bitte die Kontrollsumme neu erfassen, mit den Zellen für alle Zeilen (ohne Kostenträger, in CSV „ALL“) je Bezirksstelle und Monat.", "The control total says nothing about lines without an amount: missing refusals would go unnoticed. Enter it anew, with the cells of all lines (without fund, in CSV 'ALL') for each Bezirksstelle and month.";
    DifferencesOpen = "DIFFERENCES_OPEN": "Es gibt Abweichungen zur Kontrollsumme, die nicht erklärt und genehmigt sind ({}).", "There are differences from the control total that are not explained and approved ({}).";
    DifferenceNotExplained = "DIFFERENCE_NOT_EXPLAINED": "Die Abweichung ist noch nicht erklärt.", "The difference is not explained yet.";
    DifferenceApproved = "DIFFERENCE_APPROVED": "Die Abweichung ist schon genehmigt.", "The difference is approved already.";
    ApproverIsAuthor = "APPROVER_IS_AUTHOR": "Wer die Erklärung geschrieben hat, darf sie nicht genehmigen. Bitte die Leitung der Innenrevision oder die Qualitätssicherung darum bitten.", "Who wrote the explanation must not approve it. Ask the head of the Innenrevision or the quality assurance.";
    BezirksstelleUnknown = "BEZIRKSSTELLE_UNKNOWN": "Diese Bezirksstelle gibt es nicht ({}).", "There is no such Bezirksstelle ({}).";
    ConfidenceOutOfRange = "CONFIDENCE_OUT_OF_RANGE": "Die Sicherheit muss größer als 0 und kleiner als 1 sein.", "Confidence must be above 0 and below 1.";
    RateOutOfRange = "RATE_OUT_OF_RANGE": "Die Rate muss zwischen 0 und 1 liegen.", "The rate must be between 0 and 1.";
    TolerableNotAboveExpected = "TOLERABLE_NOT_ABOVE_EXPECTED": "Der hinnehmbare Fehler muss größer sein als der erwartete.", "The tolerable error must be above the expected error.";
    SampleLargerThanPopulation = "SAMPLE_LARGER_THAN_POPULATION": "Die Stichprobe wäre größer als die Grundgesamtheit ({}).", "The sample would be larger than the population ({}).";
    SizeInvalid = "SIZE_INVALID": "Der Umfang muss mindestens 1 sein und entweder vorgegeben oder aus Sicherheit und Fehlergrenzen berechnet werden.", "The size must be at least 1, and either given or computed from confidence and error bounds.";
    NothingToSelect = "NOTHING_TO_SELECT": "Es gibt keine Positionen, die ausgewählt werden könnten.", "There are no items that could be selected.";
    SampleNotPlanned = "SAMPLE_NOT_PLANNED": "Die Stichprobe ist schon gezogen oder aufgegeben. Eine neue Ziehung ist eine neue Stichprobe.", "The sample is drawn or aborted already. A new draw is a new sample.";
    SampleNotDrawnHere = "SAMPLE_NOT_DRAWN_HERE": "Die Stichprobe ist nicht hier gezogen, sondern anderswo oder von Hand ausgewählt; es gibt keine Ziehung zu wiederholen.", "The sample was not drawn here, but elsewhere or chosen by hand; there is no draw to repeat.";
    SampleNotDrawn = "SAMPLE_NOT_DRAWN": "Die Stichprobe ist noch nicht gezogen.", "The sample is not drawn yet.";
    SeedUsed = "SEED_USED": "Mit diesem Startwert wurde in dieser Kette schon gezogen. Eine Erweiterung braucht einen neuen.", "This seed was used in this chain before. An extension needs a new one.";
    SampleExtended = "SAMPLE_EXTENDED": "Diese Stichprobe ist schon erweitert ({}). Bitte die letzte der Kette erweitern.", "This sample is extended already ({}). Extend the last one of the chain.";
    ExtensionNotDue = "EXTENSION_NOT_DUE": "Nach der festgelegten Regel wird hier nicht erweitert (Fehler / Regel: {}). Eine Erweiterung mit eigenem Umfang ist möglich und gilt als ungeplant.", "By the rule that was fixed there is no extension here (errors / rule: {}). One with a size of its own is possible and counts as unplanned.";
    ReplacementNotByTickets = "REPLACEMENT_NOT_BY_TICKETS": "Ersetzt wird nur in Stichproben nach Losnummern ({}). Was sich nicht prüfen lässt, zählt hier als nicht belegt: bitte so im Prüfblatt festhalten.", "Only samples by tickets have a next item ({}). What cannot be checked counts as not evidenced here: record it so.";
    ReplacementItemChecked = "REPLACEMENT_ITEM_CHECKED": "Die Position ist schon geprüft und wird deshalb nicht ersetzt.", "The item was checked already, so it is not replaced.";
    ReplacementRequested = "REPLACEMENT_REQUESTED": "Der Ersatz dieser Position ist schon beantragt.", "A replacement of this item was asked for already.";
    ReplacementDecided = "REPLACEMENT_DECIDED": "Über diesen Ersatz ist schon entschieden.", "This replacement is decided already.";
    ReplacementOwn = "REPLACEMENT_OWN": "Wer den Ersatz beantragt hat, darf nicht über ihn entscheiden. Bitte die Leitung der Innenrevision oder die Qualitätssicherung darum bitten.", "Who asked for the replacement must not decide it. Ask the head of the Innenrevision or the quality assurance.";
    ItemReplaced = "ITEM_REPLACED": "Die Position ist ersetzt; geprüft wird die Position an ihrer Stelle.", "The item was replaced; the item in its place is checked.";
    AssignmentNotOpen = "ASSIGNMENT_NOT_OPEN": "Die Position ist schon geprüft oder ersetzt.", "The item was checked or replaced already.";
    AssignmentComplete = "ASSIGNMENT_COMPLETE": "Die Position ist schon so vielen Personen zugewiesen, wie sie prüfen sollen ({}).", "The item is assigned to as many people as shall check it ({}).";
    KnownErrorNotForSample = "KNOWN_ERROR_NOT_FOR_SAMPLE": "Gesondert gerechnet werden systemische und anomale Fehler nur in Stichproben von Positionen oder Geldeinheiten ({}).", "Systemic and anomalous errors are set apart only in samples of items or of monetary units ({}).";
    KnownErrorNotFound = "KNOWN_ERROR_NOT_FOUND": "An dieser Position ist kein Fehler festgestellt, der den Betrag mindert und noch nicht eingeordnet ist.", "No error that lowers the amount and is not classified yet was found in this item.";
    KnownErrorOwnStaff = "KNOWN_ERROR_OWN_STAFF": "Fehler in Fällen des eigenen Personals zählen immer als zufällig.", "Errors in own staff's cases always count as random.";
    KnownErrorAboveError = "KNOWN_ERROR_ABOVE_ERROR": "So viel Fehler ist an dieser Position nicht festgestellt (noch nicht eingeordnet: {}).", "No error of this amount was found in this item (not classified yet: {}).";
    KnownErrorNotDelimited = "KNOWN_ERROR_NOT_DELIMITED": "In der Stichprobe ist mehr gefunden, als in der ganzen Schicht abgegrenzt sein soll ({}).", "More was found in the sample than is said to be delimited in the whole stratum ({}).";
    KnownErrorStrata = "KNOWN_ERROR_STRATA": "Ein Fehler wird je Schicht abgegrenzt. Bitte für jede Schicht einen eigenen vorschlagen.", "An error is delimited in each stratum. Propose one for each of them.";
    KnownErrorDecided = "KNOWN_ERROR_DECIDED": "Über diese Einordnung ist schon entschieden.", "This known error is decided already.";
    KnownErrorOwn = "KNOWN_ERROR_OWN": "Wer die Einordnung vorgeschlagen hat, darf sie nicht genehmigen. Bitte die Leitung der Innenrevision oder die Qualitätssicherung darum bitten.", "Whoever proposed a known error may not approve it. Please ask the head of the audit function or quality assurance.";
    CheckBelowKnownError = "CHECK_BELOW_KNOWN_ERROR": "Von diesem Fehler ist mehr als systemisch oder anomal eingeordnet, als er dann noch beträgt ({}). Bitte erst die Einordnung widerrufen.", "More of this error is classified as systemic or anomalous than it then amounts to ({}). Revoke that first.";
    ParameterSetDecided = "PARAMETER_SET_DECIDED": "Über diese Fassung ist schon entschieden.", "This edition is decided already.";
    ParameterSetOwn = "PARAMETER_SET_OWN": "Wer die Fassung vorgeschlagen hat, darf nicht über sie entscheiden. Bitte die Qualitätssicherung oder eine Prüferin, einen Prüfer darum bitten.", "Who proposed the edition must not decide it. Ask the quality assurance or an auditor.";
    ParameterSetNotInForce = "PARAMETER_SET_NOT_IN_FORCE": "Diese Fassung ist nicht genehmigt oder gilt noch nicht ({}).", "This edition is not approved, or does not hold yet ({}).";
    ParameterSetOutdated = "PARAMETER_SET_OUTDATED": "Es gilt eine neuere Fassung ({}). Bitte diese anführen.", "A later edition holds ({}). Cite that one.";
    FigureBesideParameterSet = "FIGURE_BESIDE_PARAMETER_SET": "Sicherheit und Wesentlichkeit kommen aus dem angeführten Parametersatz; daneben wird keine andere Zahl angegeben.", "Confidence and materiality come from the parameter set that is cited; no other figure is given beside it.";
    SeedInvalid = "SEED_INVALID": "Der Startwert muss 1 bis 200 Zeichen haben.", "The seed must have 1 to 200 characters.";
    NotUsedAtThisLevel = "NOT_USED_AT_THIS_LEVEL": "Diese Angabe wird auf dieser Stufe nicht verwendet. Bitte weglassen oder eine andere Stufe wählen.", "This input has no use at this level of assurance. Leave it out, or choose another level.";
    TooFewParties = "TOO_FEW_PARTIES": "Der Startwert braucht Beiträge von mindestens zwei Beteiligten.", "The seed needs contributions of two parties at least.";
    Doubled = "DOUBLED": "Der Name kommt zweimal vor ({}).", "The name occurs twice ({}).";
    PartiesSamePerson = "PARTIES_SAME_PERSON": "Eine Person kann nicht für zwei Beteiligte sprechen ({}).", "One person cannot speak for two parties ({}).";
    PartiesOneSided = "PARTIES_ONE_SIDED": "Mindestens eine Beteiligte muss der Innenrevision angehören und mindestens eine darf es nicht. Bitte ergänzen, etwa Datenschutz oder Rechnungsprüfung.", "At least one party has to belong to the audit function, and at least one must not. Add one, such as the data protection officer or the Rechnungsprüfung.";
    PartyOfAnother = "PARTY_OF_ANOTHER": "Für diese Beteiligte spricht eine andere Person ({}).", "Another person speaks for this party ({}).";
    PartyOtherRole = "PARTY_OTHER_ROLE": "Für diese Beteiligte sprechen Sie in einer anderen Rolle ({}). Bitte die Zugehörigkeit wechseln.", "You speak for this party in another role ({}). Choose that membership.";
    PartyUnknown = "PARTY_UNKNOWN": "Diese Beteiligte steht nicht im Plan ({}).", "This party is not in the plan ({}).";
    RootNotSigned = "ROOT_NOT_SIGNED": "Die Wurzel der Grundgesamtheit steht noch in keinem unterschriebenen Prüfpunkt. Das geschieht etwa eine Sekunde nach dem Festschreiben: bitte gleich wiederholen. Bleibt es dabei, bitte die Administration verständigen.", "The root of the population does not stand in a signed checkpoint yet. That happens about a second after freezing: repeat in a moment. If it stays so, tell the administration.";
    LogPending = "LOG_PENDING": "Die letzten Schritte haben noch keinen Platz im Log. Bitte in einigen Sekunden wiederholen.", "The last steps have no place in the log yet. Repeat in a few seconds.";
    LogOutOfOrder = "LOG_OUT_OF_ORDER": "Die Schritte stehen in der falschen Reihenfolge im Log ({}). Bitte die Stichprobe aufgeben und neu planen.", "The steps stand in the log in the wrong order ({}). Give the sample up and plan it anew.";
    ContributionCommitted = "CONTRIBUTION_COMMITTED": "Der Beitrag ist schon festgelegt; eine Festlegung wird nicht ersetzt ({}).", "The contribution is committed already; a commitment is not replaced ({}).";
    ContributionOpened = "CONTRIBUTION_OPENED": "Der Beitrag ist schon geöffnet ({}).", "The contribution is opened already ({}).";
    ContributionDoubled = "CONTRIBUTION_DOUBLED": "Es gibt zwei Festlegungen oder zwei geöffnete Beiträge ({}).", "There are two commitments or two opened contributions ({}).";
    ContributionsNotOpened = "CONTRIBUTIONS_NOT_OPENED": "Noch nicht geöffnet haben: {}. Bitte abwarten, bis alle geöffnet haben oder ihre Zeit abgelaufen ist; sonst die Stichprobe aufgeben.", "Not opened yet: {}. Wait until all have opened or their time is over; otherwise give the sample up.";
    CommitmentMissing = "COMMITMENT_MISSING": "Es fehlen noch Festlegungen ({}).", "Commitments are still missing ({}).";
    CommitmentDiffers = "COMMITMENT_DIFFERS": "Der geöffnete Beitrag entspricht nicht der Festlegung ({}). Bitte genau das senden, woraus sie gebildet wurde: Salz und Text.", "What is opened is not what was committed ({}). Send exactly what the commitment was made from: salt and text.";
    OpenedTooEarly = "OPENED_TOO_EARLY": "Ein Beitrag wurde geöffnet, bevor alle Festlegungen vorlagen ({}).", "A contribution was opened before everybody had committed ({}).";
    NobodyOpened = "NOBODY_OPENED": "Niemand hat einen Beitrag geöffnet.", "Nobody opened a contribution.";
    SourceExists = "SOURCE_EXISTS": "Diese Runde gibt es schon. Bitte eine künftige nennen (`pruefpfad ceremony round`).", "This round exists already. Name a future one (`pruefpfad ceremony round`).";
    SourceNotYet = "SOURCE_NOT_YET": "Die Quelle gibt es noch nicht ({}). Bitte danach ziehen.", "The source does not exist yet ({}). Draw after that.";
    SourceRecorded = "SOURCE_RECORDED": "Die öffentliche Quelle ist schon festgehalten; danach zählt kein Beitrag und keine andere Quelle mehr. Zum Ziehen ist sie nicht noch einmal anzugeben.", "The public source is recorded already; no contribution and no other source counts any more. To draw, it is not given again.";
    SourceBeforeContribution = "SOURCE_BEFORE_CONTRIBUTION": "Die Quelle gab es schon, als der Beitrag noch nicht vorlag ({}). Bitte die Stichprobe aufgeben und mit einer späteren Quelle neu planen.", "The source existed when the contribution was not there yet ({}). Give the sample up and plan it anew with a later source.";
    SourceBeforePlan = "SOURCE_BEFORE_PLAN": "Die Quelle gab es schon, als der Plan noch nicht feststand. Bitte die Stichprobe aufgeben und mit einer späteren Quelle neu planen.", "The source existed when the plan was not fixed yet. Give the sample up and plan it anew with a later source.";
    SourceDiffers = "SOURCE_DIFFERS": "Die Quelle ist nicht die des Plans.", "The source is not the one of the plan.";
    ChainUnknown = "CHAIN_UNKNOWN": "Diese Kette des Zufallsdienstes ist nicht bekannt. Bekannt sind quicknet und default, mit dem Hashwert zu nennen.", "This chain of the beacon is not known. Known are quicknet and default, to be named by their hash.";
    RoundDiffers = "ROUND_DIFFERS": "Das ist nicht die Runde des Plans ({}).", "This is not the round of the plan ({}).";
    RoundOfAnotherChain = "ROUND_OF_ANOTHER_CHAIN": "Die Runde gehört zu einer anderen Kette als der des Plans.", "The round belongs to another chain than the plan's.";
    SignatureWrong = "SIGNATURE_WRONG": "Die Signatur beweist die Runde nicht. Bitte vollständig und unverändert übernehmen.", "The signature does not prove the round. Take it whole and unchanged.";
    RandomnessDiffers = "RANDOMNESS_DIFFERS": "Der Zufallswert ist nicht der zu dieser Signatur.", "The randomness is not that of this signature.";
    DiceThrowsOutOfRange = "DICE_THROWS_OUT_OF_RANGE": "Eine Sitzung hat 20 bis 1.000 Würfe ({}).", "A session has 20 to 1,000 throws ({}).";
    DiceThrowsDiffer = "DICE_THROWS_DIFFER": "Es sind nicht so viele Ziffern wie geplant ({}).", "There are not as many digits as planned ({}).";
    WitnessMissing = "WITNESS_MISSING": "Eine Sitzung braucht mindestens eine Person, die zusieht und nicht selbst würfelt.", "A session needs a witness who did not throw.";
    CaseNumberMissing = "CASE_NUMBER_MISSING": "Zu dieser Position gibt es kein Aktenzeichen: Der Auszug nannte keines, oder es wurde fristgerecht vernichtet. Bitte die Bezirksstelle fragen.", "There is no case number for this item: the extract had none, or it was destroyed on schedule. Ask the Bezirksstelle.";
    ItemNotInPopulation = "ITEM_NOT_IN_POPULATION": "Diese Position gibt es in der Grundgesamtheit nicht ({}).", "There is no such item in the population ({}).";
    ItemDoubled = "ITEM_DOUBLED": "Diese Position ist doppelt ({}).", "This item appears twice ({}).";
    ItemNotPositive = "ITEM_NOT_POSITIVE": "Diese Position hat keinen positiven Betrag und konnte nicht gezogen werden ({}).", "This item has no positive amount and could not be drawn ({}).";
    FrameChanged = "FRAME_CHANGED": "Die Grundgesamtheit stimmt nicht mehr mit ihrem festgeschriebenen Stand überein. Bitte die Administration verständigen.", "The population no longer matches its frozen state. Tell the administration.";
    ProgrammeUnknown = "PROGRAMME_UNKNOWN": "Dieses Prüfprogramm gibt es nicht.", "There is no such test programme.";
    AttributeUnknown = "ATTRIBUTE_UNKNOWN": "Dieses Merkmal gibt es im Prüfprogramm nicht ({}).", "There is no such attribute in the programme ({}).";
    AttributeDoubled = "ATTRIBUTE_DOUBLED": "Dieses Merkmal ist doppelt beantwortet ({}).", "This attribute is answered twice ({}).";
    AttributeMissing = "ATTRIBUTE_MISSING": "Dieses Merkmal ist nicht beantwortet ({}).", "This attribute is not answered ({}).";
    ErrorClassContradictsAmounts = "ERROR_CLASS_CONTRADICTS_AMOUNTS": "Fehlerart und Beträge widersprechen sich ({}).", "Error class and amounts contradict each other ({}).";
    ErrorClassContradictsAnswers = "ERROR_CLASS_CONTRADICTS_ANSWERS": "Fehlerart und Antworten widersprechen sich: mit einem Nein oder „nicht belegt“ gibt es einen Fehler, ohne keinen.", "Error class and answers contradict each other: with a no or 'not evidenced' there is an error, without there is none.";
    SecondCheckSamePerson = "SECOND_CHECK_SAME_PERSON": "Die zweite Prüfung muss eine andere Person vornehmen: aus der Innenrevision, ihre Leitung oder die Qualitätssicherung.", "The second check has to be made by another person: an auditor, the head of the Innenrevision or the quality assurance.";
    ChecksComplete = "CHECKS_COMPLETE": "Für diese Position liegen schon alle Prüfungen vor.", "This item has all its checks already.";
    SampleNotEvaluable = "SAMPLE_NOT_EVALUABLE": "Die Stichprobe ist noch nicht vollständig geprüft ({}).", "The sample is not completely checked yet ({}).";
    GrantBasisUnknown = "GRANT_BASIS_UNKNOWN": "Diese Rechtsgrundlage steht nicht in der Liste. `grantBases` nennt die zulässigen.", "This legal basis is not in the list. `grantBases` names those that are.";
    GrantKindNotCarried = "GRANT_KIND_NOT_CARRIED": "Diese Rechtsgrundlage trägt diese Art von Zugang nicht ({}).", "This legal basis does not carry a grant of this kind ({}).";
    GrantClassNotGrantable = "GRANT_CLASS_NOT_GRANTABLE": "Diese Klasse darf hier nicht gewährt werden ({}).", "This class must not be granted here ({}).";
    GrantTooLong = "GRANT_TOO_LONG": "So lange darf der Zugang nicht bestehen ({} Tage). Länger nur für öffentliche Stellen mit festgehaltenem Abrufverfahren (§ 79 Abs. 2 SGB X).", "The grant must not last that long ({} days). Longer only for public bodies with a recorded Abrufverfahren (§ 79 (2) SGB X).";
    GrantRecipientInvolved = "GRANT_RECIPIENT_INVOLVED": "Wer den Zugang vorschlägt oder erteilt, kann ihn nicht selbst erhalten.", "Whoever proposes or issues a grant cannot be its recipient.";
    GrantSamePerson = "GRANT_SAME_PERSON": "Wer den Zugang vorgeschlagen hat, darf ihn nicht erteilen. Bitte die Fachbereichsleitung beteiligen; schlug eine Revisorin oder ein Revisor vor, auch die Leitung der Innenrevision.", "Whoever proposed the grant must not issue it. Involve the head of the Fachbereich or, where an auditor proposed, the head of the Innenrevision.";
    GrantVerpflichtungMissing = "GRANT_VERPFLICHTUNG_MISSING": "Die Verpflichtung fehlt (§ 78 SGB X). Bitte zuerst festhalten (recordGrantVerpflichtung).", "The Verpflichtung is missing (§ 78 SGB X). Record it first (recordGrantVerpflichtung).";
    GrantStaffNotInstructed = "GRANT_STAFF_NOT_INSTRUCTED": "Die Unterweisung des Personals ist nicht festgehalten (§ 78 Abs. 2 SGB X). Bitte zuerst festhalten (recordGrantVerpflichtung).", "The instruction of the staff is not recorded (§ 78 (2) SGB X). Record it first (recordGrantVerpflichtung).";
    GrantDecided = "GRANT_DECIDED": "Über diesen Zugang ist schon entschieden.", "This grant is decided already.";
    GrantNotIssued = "GRANT_NOT_ISSUED": "Dieser Zugang ist nicht erteilt oder schon beendet.", "This grant is not issued, or ended already.";
    GrantNotExtendable = "GRANT_NOT_EXTENDABLE": "Dieser Zugang kann nicht verlängert werden. Bitte einen neuen vorschlagen.", "This grant cannot be extended. Propose a new one.";
    GrantEnded = "GRANT_ENDED": "Der Zugang ist beendet.", "The grant has ended.";
    GrantBudgetExceeded = "GRANT_BUDGET_EXCEEDED": "Das Leseguthaben des Zugangs reicht dafür nicht (noch {}). Bitte weniger auf einmal abrufen oder einen neuen Zugang erbitten.", "The read budget of the grant does not suffice ({} left). Ask for less at once, or for a new grant.";
    LegalHoldLifted = "LEGAL_HOLD_LIFTED": "Diese Löschsperre ist schon aufgehoben.", "This legal hold is lifted already.";
    LegalHoldOwn = "LEGAL_HOLD_OWN": "Wer die Löschsperre gesetzt hat, darf sie nicht aufheben. Bitte eine zweite Person beteiligen.", "Who placed the legal hold must not lift it. Involve a second person.";
    SeatUnknown = "SEAT_UNKNOWN": "Diesen Sitz gibt es in dem Gremium nicht ({}).", "The body has no such seat ({}).";
    SeatTaken = "SEAT_TAKEN": "Dieser Sitz ist in der Zeit schon besetzt. Bitte zuerst die bisherige Besetzung beenden (releaseSeat).", "This seat is taken at that time. Release it first (releaseSeat).";
    SeatPersonTwice = "SEAT_PERSON_TWICE": "Diese Person hat in dem Gremium schon einen Sitz oder eine Stellvertretung ({}). Niemand stimmt für zwei Sitze.", "This person has a seat in the body already, or is a deputy there ({}). Nobody votes for two seats.";
    SeatReleased = "SEAT_RELEASED": "Diese Besetzung ist schon beendet.", "This seat is released already.";
    MatterNotOfBody = "MATTER_NOT_OF_BODY": "Darüber befindet dieses Gremium nicht ({}).", "This is no matter of the body ({}).";
    AttachmentDoubled = "ATTACHMENT_DOUBLED": "Diese Anlage ist doppelt ({}).", "This attachment appears twice ({}).";
    PaperState = "PAPER_STATE": "Das geht nicht, so wie es um die Vorlage steht ({}).", "This cannot be done with the paper as it stands ({}).";
    PaperNotOwn = "PAPER_NOT_OWN": "Ändern oder zurückziehen kann eine Vorlage nur, wer sie verfasst hat.", "Only who wrote a paper revises or withdraws it.";
    PaperUnchanged = "PAPER_UNCHANGED": "Die Fassung ist dieselbe wie die letzte.", "The edition is the same as the last one.";
    PaperChanged = "PAPER_CHANGED": "Die Vorlage wurde inzwischen geändert. Bitte die neue Fassung lesen.", "The paper was changed meanwhile. Read the new edition.";
    NotAMember = "NOT_A_MEMBER": "Abstimmen kann nur, wer in dem Gremium einen Sitz hat oder ihn vertritt.", "Only who has a seat in the body, or is its deputy, votes.";
    AuthorVotes = "AUTHOR_VOTES": "Wer die Vorlage verfasst hat, stimmt hier nicht über sie ab.", "Who wrote the paper does not vote on it here.";
    SeatHasVoted = "SEAT_HAS_VOTED": "Für diesen Sitz ist schon abgestimmt.", "There is a vote for this seat already.";
    VotingNotBegun = "VOTING_NOT_BEGUN": "Die Sitzung hat noch nicht begonnen ({}).", "The session has not begun yet ({}).";
    VotingEnded = "VOTING_ENDED": "Die Abstimmung ist beendet ({}).", "The voting has ended ({}).";
    VotingRuns = "VOTING_RUNS": "Die Abstimmung läuft noch: Es haben nicht alle abgestimmt, und ihr Ende ist nicht erreicht ({}).", "The voting goes on: not everybody voted, and its end is not reached ({}).";
    VotesTooFew = "VOTES_TOO_FEW": "Es haben zu wenige abgestimmt ({}). Die Vorlage kann erneut aufgerufen werden (callPaper).", "Too few voted ({}). The paper can be called again (callPaper).";
    CallingPeriod = "CALLING_PERIOD": "Die Vorlage wurde mit kürzerer Frist aufgerufen als vorgesehen. Das gilt nur, wenn alle im Gremium mitstimmen und auf die Frist verzichten. Sie kann mit voller Frist erneut aufgerufen werden (callPaper).", "The paper was called at shorter notice than the calling period. That holds only where everybody in the body votes and waives the period. It can be called again in time (callPaper).";
    SessionPast = "SESSION_PAST": "Die Sitzung liegt in der Vergangenheit, oder die Abstimmung endet nicht nach ihrem Beginn.", "The session lies in the past, or the voting does not end after its beginning.";
    NotTheDecider = "NOT_THE_DECIDER": "Bei Dissens entscheidet hier jemand anders ({}).", "Somebody else decides over a dissent here ({}).";
    DeadlineShapeInvalid = "DEADLINE_SHAPE_INVALID": "Bitte entweder eine Dauer (1 bis 10.000 Einheiten) oder den letzten Tag angeben; nur eine Dauer kann auf eine vollständige Anzeige warten.", "Give either a length (1 to 10,000 units) or the last day; only a length can wait for a complete notice.";
    DeadlineOutsideCalendar = "DEADLINE_OUTSIDE_CALENDAR": "So weit reicht der Kalender nicht (1991 bis 2199).", "The calendar does not reach that far (1991 to 2199).";
    DeadlineInPast = "DEADLINE_IN_PAST": "Die Frist wäre schon abgelaufen ({}).", "The deadline would have passed already ({}).";
    DeadlineState = "DEADLINE_STATE": "Das ist im jetzigen Stand der Frist nicht möglich ({}).", "This is not possible in the present state of the deadline ({}).";
    DeadlineOver = "DEADLINE_OVER": "Die Frist ist abgelaufen ({}).", "The deadline has passed ({}).";
    DeadlineNotExtendable = "DEADLINE_NOT_EXTENDABLE": "Verlängert werden nur Fristen, die eine Behörde gesetzt hat (§ 26 Abs. 7 SGB X).", "Only periods set by an authority are extended (§ 26 (7) SGB X).";
    DeadlineNotLater = "DEADLINE_NOT_LATER": "Das neue Fristende liegt nicht nach dem bisherigen ({}).", "The new end is not after the present one ({}).";
    DeadlineConfirmOwn = "DEADLINE_CONFIRM_OWN": "Wer die Frist gesetzt hat, darf den Ausschluss nicht bestätigen. Bitte die Leitung der Innenrevision oder die Qualitätssicherung darum bitten.", "Who set the deadline must not confirm that the right is barred. Ask the head of the Innenrevision or the quality assurance.";
    AmountOverflow = "AMOUNT_OVERFLOW": "Der Betrag ist zu groß.", "The amount is too large.";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_and_messages_show_the_detail_or_drop_its_brackets() {
        let mut codes: Vec<_> = Code::ALL.iter().map(|code| code.as_str()).collect();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), Code::ALL.len());
        let refusal = Refusal::new(Code::TooLong, "input.title");
        assert_eq!(refusal.message(Language::De), "Der Text ist zu lang.");
        assert_eq!(
            refusal.with("200").message(Language::En),
            "The text is too long (200)."
        );
        for code in Code::ALL {
            let kept = Refusal::kept(code.as_str(), "7").map(|refusal| (refusal.code, refusal.detail));
            assert_eq!(kept, Some((*code, "7".to_owned())));
        }
        assert_eq!(Refusal::kept("NOTHING", ""), None);
    }
}
