//! `pruefpfad calculate`: sampling methods as calculators, one JSON request a line in, one JSON answer a line out. No database,
//! no configuration.

use std::io::{BufRead, BufReader, Read as _, Write};
use std::process::ExitCode;

use audit::Language;
use audit::sampling::calculator::{CALCULATORS, Calculator};
use serde::Deserialize;
use serde_json::{Value, json};

use super::CalculateArgs;

/// Longest request.
const LONGEST: u64 = 64 * 1024 * 1024;

/// What a line asks for.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Request {
    /// Comes back with the answer.
    #[serde(default)]
    id: Value,
    calculator: String,
    input: Value,
}

/// Answers every line of standard input, or describes what can be asked.
pub(super) fn run(arguments: CalculateArgs, language: Language) -> std::io::Result<ExitCode> {
    let mut output = std::io::stdout().lock();
    if arguments.describe {
        let all: Vec<Value> = CALCULATORS.iter().map(Calculator::describe).collect();
        let text = serde_json::to_string_pretty(&json!({
            "request": { "id": "any JSON, comes back", "calculator": "a name", "input": "as its schema says" },
            "answer": { "id": "the same", "calculator": "the same", "result": "as its schema says" },
            "refusal": { "id": "the same", "calculator": "the same", "errors": [{ "code": "", "field": "", "message": "" }] },
            "units": "amounts are whole units of the input's unit (CENT or EURO); rates and confidences lie between 0 and 1, as \
                text or number; results give decimals as text",
            "calculators": all,
        }))?;
        writeln!(output, "{text}")?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut input = BufReader::new(std::io::stdin().lock());
    let mut line = Vec::new();
    loop {
        line.clear();
        let read = input.by_ref().take(LONGEST + 1).read_until(b'\n', &mut line)?;
        if read == 0 {
            return Ok(ExitCode::SUCCESS);
        }
        if line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        let answer = if line.len() as u64 > LONGEST {
            pass(&mut input)?;
            refusal(&Value::Null, None, &too_long(language))
        } else {
            answer(&line, language)
        };
        serde_json::to_writer(&mut output, &answer)?;
        output.write_all(b"\n")?;
        output.flush()?;
    }
}

/// Reads on to the end of the line.
fn pass(input: &mut impl BufRead) -> std::io::Result<()> {
    loop {
        let buffer = input.fill_buf()?;
        if buffer.is_empty() {
            return Ok(());
        }
        if let Some(end) = buffer.iter().position(|byte| *byte == b'\n') {
            input.consume(end + 1);
            return Ok(());
        }
        let whole = buffer.len();
        input.consume(whole);
    }
}

fn answer(line: &[u8], language: Language) -> Value {
    let request: Request = match serde_json::from_slice(line) {
        Ok(request) => request,
        Err(error) => {
            let id = serde_json::from_slice::<Value>(line)
                .ok()
                .and_then(|line| line.get("id").cloned())
                .unwrap_or_default();
            let message = language.say(
                format!("Die Zeile ist keine Anfrage: {error}"),
                format!("The line is no request: {error}"),
            );
            return refusal(
                &id,
                None,
                &json!({ "code": "NO_REQUEST", "field": "", "message": message }),
            );
        }
    };
    let (id, name) = (&request.id, Some(request.calculator.as_str()));
    let Some(calculator) = Calculator::named(&request.calculator) else {
        let message = language.say(
            "Diesen Rechner gibt es nicht; --describe nennt alle.",
            "There is no such calculator; --describe names all.",
        );
        return refusal(
            id,
            name,
            &json!({ "code": "CALCULATOR_UNKNOWN", "field": "calculator", "message": message }),
        );
    };
    match calculator.run(request.input) {
        Ok(result) => json!({ "id": id, "calculator": calculator.name, "result": result }),
        Err(fault) => {
            let message = language.say(&fault.message.de, &fault.message.en);
            refusal(
                id,
                name,
                &json!({ "code": fault.code, "field": format!("input.{}", fault.field), "message": message }),
            )
        }
    }
}

fn too_long(language: Language) -> Value {
    let message = language.say(
        format!("Die Zeile ist länger als {LONGEST} Bytes."),
        format!("The line is longer than {LONGEST} bytes."),
    );
    json!({ "code": "LIMIT_EXCEEDED", "field": "", "message": message })
}

fn refusal(id: &Value, calculator: Option<&str>, error: &Value) -> Value {
    json!({ "id": id, "calculator": calculator, "errors": [error] })
}
