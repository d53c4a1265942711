//! Taking what a pipeline received through its transform once more, as if it came in when it did.

use dash_shared::transform::Outcome;

use super::ingest::new_record;
use super::{Definition, Engine, lanes};
use crate::data::{NewRecord, ReadError, ReceivedBatch, ReceivedEvent, ReceivedPlace, Rewritten};

impl Engine {
    /// Transforms events again; `state` is what the transform remembered before them.
    pub async fn transform_again(
        &self,
        definition: &Definition,
        events: Vec<ReceivedEvent>,
        state: &[u8],
        place: ReceivedPlace,
    ) -> Result<Rewritten, ReadError> {
        let mut surroundings = self
            .surroundings(definition.team_id, &definition.transform)
            .await?;
        let mut state = definition.transform.adopt(lanes::decode(state)?);
        let definition = definition.clone();
        let work = move || {
            let mut rewritten = Rewritten {
                batches: Vec::new(),
                place,
                events: i64::try_from(events.len()).unwrap_or(i64::MAX),
                failed: 0,
                dropped: 0,
                state: Vec::new(),
            };
            let mut outcomes = Vec::new();
            for together in events.chunk_by(|a, b| a.received_at_ms == b.received_at_ms) {
                let at_ms = together.first().map_or(0, |event| event.received_at_ms);
                surroundings.set_now(at_ms);
                let mut records: Vec<NewRecord> = Vec::new();
                for event in together {
                    let transform = &definition.transform;
                    transform.run(&event.value, &mut state, &surroundings, &mut outcomes);
                    let (failed, stored) = (rewritten.failed, records.len());
                    let mut held = false;
                    for outcome in outcomes.drain(..) {
                        match outcome {
                            Outcome::Stored(fields) => {
                                match new_record(&definition, fields, at_ms) {
                                    Ok(record) => records.push(record),
                                    Err(_) => rewritten.failed += 1,
                                }
                            }
                            Outcome::Dropped { .. } => rewritten.dropped += 1,
                            Outcome::Held { .. } => held = true,
                            Outcome::Failed(_) => rewritten.failed += 1,
                        }
                    }
                    if rewritten.failed > failed && records.len() == stored && !held {
                        state.forget_last();
                    }
                }
                let values: Vec<_> = together.iter().map(|event| event.value.clone()).collect();
                let batch = ReceivedBatch::of(at_ms, &values);
                rewritten.batches.push((batch, records));
            }
            rewritten.state = lanes::encode(&state)?;
            Ok(rewritten)
        };
        tokio::task::spawn_blocking(work)
            .await
            .map_err(|error| ReadError::Damaged(format!("a transform: {error}")))?
    }
}
