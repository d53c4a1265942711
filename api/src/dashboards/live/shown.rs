//! What a dashboard shows at one moment, and the message that brings a reader there from whatever
//! moment it has seen last. A reader that missed some is told the newest state of everything that
//! changed since: nothing old, and no gap.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::DashboardUpdate;
use crate::dashboards::{Dashboard, WidgetData};

/// A widget's data, and since which moment it is that.
type Since = (u64, Arc<WidgetData>);

/// What a dashboard shows at one moment.
#[derive(Debug)]
pub(super) struct Shown {
    moment: u64,
    dashboard: Arc<Dashboard>,
    /// One for each widget; none until it is counted.
    widgets: Vec<Option<Since>>,
    last_received_at_ms: Option<i64>,
    /// The messages that were made for readers, by what they knew: each is made once.
    updates: Mutex<HashMap<Known, Arc<DashboardUpdate>>>,
}

/// What a reader knows: the last moment that it has seen, 0 for none, and whether it has the
/// definition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Known {
    moment: u64,
    definition: bool,
}

/// Where a reader stands.
#[derive(Debug)]
pub(super) struct Place {
    moment: u64,
    cursor: Option<String>,
}

impl Place {
    /// At the beginning, with the cursor of an earlier message if there was one.
    pub(super) const fn first(cursor: Option<String>) -> Self {
        Self { moment: 0, cursor }
    }
}

impl Shown {
    /// Brings a reader to this moment. Readers that come from the same place get the same message;
    /// one that has nothing to learn gets none.
    pub(super) fn tell(&self, place: &mut Place) -> Option<Arc<DashboardUpdate>> {
        let cursor = cursor(&self.dashboard);
        let known = Known {
            moment: place.moment,
            definition: place.cursor.as_deref() == Some(&cursor),
        };
        let mut updates = self.updates.lock().unwrap_or_else(PoisonError::into_inner);
        let update = updates
            .entry(known)
            .or_insert_with(|| Arc::new(self.update(known, cursor)));
        let update = Arc::clone(update);
        drop(updates);
        place.moment = self.moment;
        if update.dashboard.is_none() && update.data.is_empty() {
            return None;
        }
        place.cursor = Some(update.cursor.clone());
        Some(update)
    }

    fn update(&self, known: Known, cursor: String) -> DashboardUpdate {
        let widgets = self.widgets.iter().flatten();
        let changed = widgets.filter(|(since, _)| *since > known.moment);
        DashboardUpdate {
            cursor,
            dashboard: (!known.definition).then(|| Arc::clone(&self.dashboard)),
            data: changed.map(|(_, data)| Arc::clone(data)).collect(),
            last_received_at_ms: self.last_received_at_ms,
        }
    }
}

/// The cursor of a message: it names the definition that its reader then has.
pub(super) fn cursor(dashboard: &Dashboard) -> String {
    format!("v{}", dashboard.version)
}

/// What a dashboard is about to show: it becomes the next moment when it is published.
#[derive(Debug)]
pub(super) struct Screen {
    moment: u64,
    dashboard: Arc<Dashboard>,
    widgets: Vec<Option<Since>>,
    last_received_at_ms: Option<i64>,
    changed: bool,
}

impl Screen {
    pub(super) fn new(dashboard: &Arc<Dashboard>) -> Self {
        Self {
            moment: 0,
            dashboard: Arc::clone(dashboard),
            widgets: vec![None; dashboard.widgets.len()],
            last_received_at_ms: None,
            changed: true,
        }
    }

    /// Takes a definition; under a new one every widget is shown anew.
    pub(super) fn define(&mut self, dashboard: &Arc<Dashboard>) {
        if dashboard.version != self.dashboard.version {
            let moment = self.moment;
            *self = Self::new(dashboard);
            self.moment = moment;
        }
        self.last_received_at_ms = None;
    }

    /// Whether some widget has nothing to show yet.
    pub(super) fn is_incomplete(&self) -> bool {
        self.widgets.iter().any(Option::is_none)
    }

    /// Shows something in a widget.
    pub(super) fn show(&mut self, index: usize, data: WidgetData, received_at_ms: Option<i64>) {
        self.last_received_at_ms = self.last_received_at_ms.max(received_at_ms);
        let Some(widget) = self.widgets.get_mut(index) else {
            return;
        };
        if widget.as_ref().is_none_or(|(_, shown)| **shown != data) {
            *widget = Some((self.moment + 1, Arc::new(data)));
            self.changed = true;
        }
    }

    /// The next moment, if anything has changed since the last one.
    pub(super) fn publish(&mut self) -> Option<Shown> {
        if !std::mem::take(&mut self.changed) {
            return None;
        }
        self.moment += 1;
        Some(Shown {
            moment: self.moment,
            dashboard: Arc::clone(&self.dashboard),
            widgets: self.widgets.clone(),
            last_received_at_ms: self.last_received_at_ms,
            updates: Mutex::default(),
        })
    }
}

#[cfg(test)]
mod tests {
    use dash_shared::ids::{DashboardId, PipelineId, TeamId, WidgetId};
    use dash_shared::widgets::{Aggregate, GridPosition, TrendMeaning, Widget, WidgetKind};

    use super::*;

    fn dashboard(version: i32, widgets: usize) -> Arc<Dashboard> {
        let widget = |_| Widget {
            id: WidgetId::new(),
            kind: WidgetKind::Stat,
            title: "Orders".to_owned(),
            pipeline_id: PipelineId::new(),
            position: GridPosition {
                x: 0,
                y: 0,
                w: 3,
                h: 2,
            },
            aggregate: Aggregate::Count,
            field: None,
            group_by: None,
            filters: Vec::new(),
            columns: Vec::new(),
            unit: String::new(),
            decimals: None,
            trend_meaning: TrendMeaning::Neutral,
            color: 0,
        };
        Arc::new(Dashboard {
            id: DashboardId::new(),
            team_id: TeamId::new(),
            name: "Shop".to_owned(),
            version,
            range: dash_shared::ranges::TimeRange::DEFAULT,
            widgets: (0..widgets).map(widget).collect(),
            created_at_ms: 0,
            updated_at_ms: 0,
        })
    }

    /// Lets a widget show a text, and publishes it.
    fn show(screen: &mut Screen, index: usize, text: &str) -> Option<Shown> {
        let widget_id = screen.dashboard.widgets[index].id;
        let message = text.to_owned();
        screen.show(index, WidgetData::Failure { widget_id, message }, None);
        screen.publish()
    }

    /// Whether the definition is told, and the texts of the widgets.
    fn told(shown: &Shown, place: &mut Place) -> Option<(bool, Vec<String>)> {
        let update = shown.tell(place)?;
        let texts = update.data.iter().map(|data| match &**data {
            WidgetData::Failure { message, .. } => message.clone(),
            other => panic!("{other:?}"),
        });
        Some((update.dashboard.is_some(), texts.collect()))
    }

    fn texts(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| (*text).to_owned()).collect()
    }

    #[test]
    fn a_reader_is_told_everything_and_then_what_changed() {
        let mut screen = Screen::new(&dashboard(1, 2));
        let mut place = Place::first(None);
        assert!(screen.is_incomplete());
        let shown = show(&mut screen, 0, "a").unwrap();
        assert_eq!(told(&shown, &mut place), Some((true, texts(&["a"]))));
        let shown = show(&mut screen, 1, "b").unwrap();
        assert!(!screen.is_incomplete());
        assert_eq!(told(&shown, &mut place), Some((false, texts(&["b"]))));
        assert_eq!(told(&shown, &mut place), None);
        assert!(show(&mut screen, 1, "b").is_none(), "nothing changed");
        let mut late = Place::first(None);
        assert_eq!(told(&shown, &mut late), Some((true, texts(&["a", "b"]))));
    }

    #[test]
    fn a_slow_reader_is_told_the_newest_of_all_that_changed() {
        let mut screen = Screen::new(&dashboard(1, 3));
        let mut place = Place::first(None);
        show(&mut screen, 0, "a1");
        show(&mut screen, 1, "b1");
        let shown = show(&mut screen, 2, "c1").unwrap();
        told(&shown, &mut place);
        show(&mut screen, 0, "a2");
        show(&mut screen, 2, "c2");
        let shown = show(&mut screen, 0, "a3").unwrap();
        assert_eq!(
            told(&shown, &mut place),
            Some((false, texts(&["a3", "c2"])))
        );
    }

    #[test]
    fn readers_in_step_get_the_very_same_message_and_others_their_own() {
        let mut screen = Screen::new(&dashboard(1, 1));
        let [mut one, mut two] = [Place::first(None), Place::first(None)];
        let shown = show(&mut screen, 0, "a").unwrap();
        let [of_one, of_two] = [shown.tell(&mut one), shown.tell(&mut two)].map(Option::unwrap);
        assert!(Arc::ptr_eq(&of_one, &of_two));
        let shown = show(&mut screen, 0, "b").unwrap();
        let late = shown.tell(&mut Place::first(None)).unwrap();
        let in_step = shown.tell(&mut one).unwrap();
        assert!(late.dashboard.is_some() && in_step.dashboard.is_none());
    }

    #[test]
    fn a_definition_that_a_reader_has_is_not_repeated_and_a_new_one_shows_everything_anew() {
        let mut screen = Screen::new(&dashboard(7, 1));
        let shown = show(&mut screen, 0, "a").unwrap();
        let mut place = Place::first(Some("v7".to_owned()));
        assert_eq!(told(&shown, &mut place), Some((false, texts(&["a"]))));
        let mut outdated = Place::first(Some("v6".to_owned()));
        assert_eq!(told(&shown, &mut outdated), Some((true, texts(&["a"]))));
        screen.define(&dashboard(8, 2));
        let shown = screen.publish().unwrap();
        assert_eq!(told(&shown, &mut place), Some((true, texts(&[]))));
        let shown = show(&mut screen, 0, "a").unwrap();
        assert_eq!(told(&shown, &mut place), Some((false, texts(&["a"]))));
        assert_eq!(told(&shown, &mut outdated), Some((true, texts(&["a"]))));
    }
}
