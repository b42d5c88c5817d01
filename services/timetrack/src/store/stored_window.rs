use std::borrow::Cow;

use bson::{Bson, Document, RawDocumentBuf};
use contracts::{
    ContentHash, CorrectionId, EmployeeId, Label, Millis, Note, ORGANIZATION, ProjectId, Rate, RatePart, TaskId,
    Window, WindowFact, WindowId, WindowType,
};
use kit::{Layout, Step};
use serde::{Deserialize, Deserializer, Serialize, de::Error as _};

/// The functions from each layout of windows to the next.
const STEPS: &[Step] = &[said_once];
/// The layout of the documents in `windows`.
pub(crate) const WINDOWS: Layout = Layout::of("windows", STEPS);
/// The layout of the former states in `window_history`.
pub(crate) const FORMER_WINDOWS: Layout = Layout::within("window_history", "was", STEPS);

/// A recorded window, with fields that the API does not return.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct StoredWindow {
    pub(crate) id: WindowId,
    /// The revision: 1 for a new window, and one more after every change.
    pub(crate) revision: i64,
    /// Whether an admin has voided the window.
    pub(crate) voided: bool,
    pub(crate) window: Window,
    /// The hash of all fields as they were sent. Known for new windows, and for those that were
    /// read in layout 1.
    pub(crate) hash: Option<ContentHash>,
    /// The layout in which the window was read; 1 for a new one.
    pub(crate) layout: i32,
}

impl StoredWindow {
    pub(crate) fn new(window: Window, hash: impl Into<Option<ContentHash>>) -> Self {
        Self { id: window.id, revision: 1, hash: hash.into(), voided: false, window, layout: 1 }
    }

    /// The next revision of this window, with another content.
    pub(crate) fn saying(&self, window: Window) -> Self {
        Self { revision: self.revision + 1, window, ..self.clone() }
    }

    /// The next revision of this window, voided.
    pub(crate) fn void(&self, now: Millis) -> Self {
        Self { voided: true, ..self.saying(Window { updated_at: now, ..self.window.clone() }) }
    }

    pub(crate) fn fact(&self) -> WindowFact {
        WindowFact { voided: self.voided, ..WindowFact::of(&self.window, self.revision) }
    }

    /// The document of this window in this layout. If the window was read in a later layout, the
    /// document has that one: the earlier layout needs the hash, which the later one leaves out.
    pub(super) fn laid_out(&self, written: i32) -> Laid<'_> {
        let layout = written.max(self.layout);
        match self.hash {
            Some(hash) if layout == 1 => {
                let Self { id, revision, voided, window, .. } = self;
                Laid::First(First { id: *id, revision: *revision, hash, voided: *voided, window })
            }
            _ => Laid::Second(Box::new(self.into())),
        }
    }
}

impl<'de> Deserialize<'de> for StoredWindow {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Hashed {
            hash: Option<ContentHash>,
        }
        let document = RawDocumentBuf::deserialize(from)?;
        let broken = |error: anyhow::Error| D::Error::custom(format!("{error:#}"));
        let layout = WINDOWS.said_by(&document).map_err(broken)?;
        let hash = match layout {
            // The hash is read for processes that still write layout 1: that layout must have it.
            1 => bson::deserialize_from_slice::<Hashed>(document.as_bytes()).map_err(D::Error::custom)?.hash,
            _ => None,
        };
        let Second { id, revision, voided, window, .. } = WINDOWS.read(&document).map_err(broken)?;
        Ok(Self { id, revision, hash, voided, window: window.of(id), layout })
    }
}

/// The document of a window in one of its layouts.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum Laid<'a> {
    First(First<'a>),
    Second(Box<Second<'a>>),
}

/// Layout 1: the window with the fields of the API, and a hash of all fields as they were sent.
#[derive(Debug, Serialize)]
pub(super) struct First<'a> {
    #[serde(rename = "_id")]
    id: WindowId,
    revision: i64,
    hash: ContentHash,
    voided: bool,
    window: &'a Window,
}

/// Layout 2: no value is stored twice, and there is no hash. Whether a window was sent again with
/// the same content is decided by its fields; a hash would not compress at all.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Second<'a> {
    #[serde(rename = "_id")]
    id: WindowId,
    revision: i64,
    #[serde(default)]
    voided: bool,
    window: Said<'a>,
    layout: i32,
}

/// The fields of a window that do not follow from its id or from other fields. Fields that queries
/// and updates use have the same names in both layouts: those of the API.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Said<'a> {
    employee_id: EmployeeId,
    shift_id: Cow<'a, Label>,
    /// The organisation; none means [`ORGANIZATION`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    organization_id: Option<Cow<'a, str>>,
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    kind: Option<WindowType>,
    start: Millis,
    end: Millis,
    timezone_offset: i64,
    /// The start in the employee's local time; none means `start` − `timezoneOffset`. The same
    /// holds for the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    start_translated: Option<Millis>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    end_translated: Option<Millis>,
    #[serde(default, skip_serializing_if = "is_zero")]
    negative_time: i64,
    project_id: ProjectId,
    task_id: TaskId,
    task_status: Cow<'a, Label>,
    task_priority: Cow<'a, Label>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    note: Option<Cow<'a, Note>>,
    billable: bool,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    overtime: bool,
    /// Whether the window is paid. Always stored, because queries search for unpaid windows.
    paid: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    bill_rate: Option<Rate>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    overtime_bill_rate: Option<Rate>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pay_rate: Option<Rate>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    overtime_pay_rate: Option<Rate>,
    #[serde(default, skip_serializing_if = "<[_]>::is_empty")]
    rate_parts: Cow<'a, [RatePart]>,
    computer: Cow<'a, Label>,
    user: Cow<'a, Label>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    domain: Option<Cow<'a, Label>>,
    os: Cow<'a, Label>,
    os_version: Cow<'a, Label>,
    hwid: Cow<'a, Label>,
    created_at: Millis,
    /// The time of the last change; none means `createdAt`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    updated_at: Option<Millis>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    correction_id: Option<CorrectionId>,
}

fn is_zero(millis: &i64) -> bool {
    *millis == 0
}

impl<'a> From<&'a StoredWindow> for Second<'a> {
    fn from(stored: &'a StoredWindow) -> Self {
        let StoredWindow { id, revision, voided, window, .. } = stored;
        Self { id: *id, revision: *revision, voided: *voided, window: window.into(), layout: WINDOWS.newest() }
    }
}

impl<'a> From<&'a Window> for Said<'a> {
    fn from(window: &'a Window) -> Self {
        let unless = |value: Millis, known: Millis| (value != known).then_some(value);
        let organization = window.organization_id.as_str();
        Self {
            employee_id: window.employee_id,
            shift_id: Cow::Borrowed(&window.shift_id),
            organization_id: (organization != ORGANIZATION).then_some(Cow::Borrowed(organization)),
            kind: (window.kind != WindowType::default()).then_some(window.kind),
            start: window.start,
            end: window.end,
            timezone_offset: window.timezone_offset,
            start_translated: unless(window.start_translated, window.start - window.timezone_offset),
            end_translated: unless(window.end_translated, window.end - window.timezone_offset),
            negative_time: window.negative_time,
            project_id: window.project_id,
            task_id: window.task_id,
            task_status: Cow::Borrowed(&window.task_status),
            task_priority: Cow::Borrowed(&window.task_priority),
            note: window.note.as_ref().map(Cow::Borrowed),
            billable: window.billable,
            overtime: window.overtime,
            paid: window.paid,
            bill_rate: window.bill_rate,
            overtime_bill_rate: window.overtime_bill_rate,
            pay_rate: window.pay_rate,
            overtime_pay_rate: window.overtime_pay_rate,
            rate_parts: Cow::Borrowed(&window.rate_parts),
            computer: Cow::Borrowed(&window.computer),
            user: Cow::Borrowed(&window.user),
            domain: window.domain.as_ref().map(Cow::Borrowed),
            os: Cow::Borrowed(&window.os),
            os_version: Cow::Borrowed(&window.os_version),
            hwid: Cow::Borrowed(&window.hwid),
            created_at: window.created_at,
            updated_at: unless(window.updated_at, window.created_at),
            correction_id: window.correction_id,
        }
    }
}

impl Said<'_> {
    /// The window with all its fields.
    fn of(self, id: WindowId) -> Window {
        Window {
            id,
            employee_id: self.employee_id,
            shift_id: self.shift_id.into_owned(),
            organization_id: self.organization_id.map_or_else(|| ORGANIZATION.to_owned(), Cow::into_owned),
            kind: self.kind.unwrap_or_default(),
            start: self.start,
            end: self.end,
            timezone_offset: self.timezone_offset,
            start_translated: self.start_translated.unwrap_or(self.start - self.timezone_offset),
            end_translated: self.end_translated.unwrap_or(self.end - self.timezone_offset),
            negative_time: self.negative_time,
            project_id: self.project_id,
            task_id: self.task_id,
            task_status: self.task_status.into_owned(),
            task_priority: self.task_priority.into_owned(),
            note: self.note.map(Cow::into_owned),
            billable: self.billable,
            overtime: self.overtime,
            paid: self.paid,
            bill_rate: self.bill_rate,
            overtime_bill_rate: self.overtime_bill_rate,
            pay_rate: self.pay_rate,
            overtime_pay_rate: self.overtime_pay_rate,
            rate_parts: self.rate_parts.into_owned(),
            computer: self.computer.into_owned(),
            user: self.user.into_owned(),
            domain: self.domain.map(Cow::into_owned),
            os: self.os.into_owned(),
            os_version: self.os_version.into_owned(),
            hwid: self.hwid.into_owned(),
            created_at: self.created_at,
            updated_at: self.updated_at.unwrap_or(self.created_at),
            correction_id: self.correction_id,
        }
    }
}

/// Converts a document from layout 1 to layout 2: removes the hash, values that follow from others,
/// default values and nulls.
fn said_once(mut stored: Document) -> Document {
    stored.remove("hash");
    let id = stored.get("_id").cloned();
    let Ok(window) = stored.get_document_mut("window") else { return stored };
    let number = |window: &Document, field| window.get_i64(field).ok();
    let (start, end) = (number(window, "start"), number(window, "end"));
    let offset = number(window, "timezoneOffset");
    let translated = |at: Option<i64>| Some(Bson::Int64(at? - offset?));
    let left_out = [
        ("id", id),
        ("organizationId", Some(ORGANIZATION.into())),
        ("type", Some("tracked".into())),
        ("startTranslated", translated(start)),
        ("endTranslated", translated(end)),
        ("negativeTime", Some(0_i64.into())),
        ("overtime", Some(false.into())),
        ("rateParts", Some(Bson::Array(Vec::new()))),
        ("updatedAt", window.get("createdAt").cloned()),
    ];
    for (field, known) in left_out {
        if known.is_some() && window.get(field) == known.as_ref() {
            window.remove(field);
        }
    }
    for field in ["note", "domain", "correctionId", "billRate", "overtimeBillRate", "payRate", "overtimePayRate"] {
        if window.get(field) == Some(&Bson::Null) {
            window.remove(field);
        }
    }
    stored
}

#[cfg(test)]
mod tests {
    use bson::serialize_to_raw_document_buf as raw;
    use kit::mongo::value;
    use proptest::{collection::vec, option, prelude::*};
    use serde_json::{Value, json};
    use uuid::Uuid;

    use super::*;

    /// Generates windows with common and with rare values.
    fn any_window() -> impl Strategy<Value = Window> {
        let times = (0..4_000_000_000_000_i64, 1..86_400_000_i64, -14..=14_i64, 0..3_i64);
        let odd = (any::<[bool; 7]>(), option::of(0_i64..500_000), vec(0_u32..4, 0..3));
        (any::<[u128; 4]>(), times, odd).prop_map(|(ids, (start, length, offset, late), (odd, rate, parts))| {
            let id = |n: usize| Uuid::from_u128(ids[n]);
            let (end, offset) = (start + length, offset * 3_600_000);
            let [is_of_another, is_manual, is_shifted, is_over, has_texts, is_paid, is_asked_for] = odd;
            let rate = rate.map(|rate| rate as f64 / 10_000.0);
            let text = |text: &str| if has_texts { json!(text) } else { Value::Null };
            let mut window = json!({
                "id": id(0), "employeeId": id(1), "shiftId": id(2).to_string(),
                "organizationId": if is_of_another { "another" } else { ORGANIZATION },
                "type": if is_manual { "manual" } else { "tracked" }, "start": start, "end": end,
                "timezoneOffset": offset, "startTranslated": start - offset + i64::from(is_shifted),
                "endTranslated": end - offset, "negativeTime": i64::from(is_shifted), "projectId": id(3),
                "taskId": id(2), "taskStatus": "To Do", "taskPriority": "High", "note": text("What was done."),
                "billable": !is_over, "overtime": is_over, "paid": is_paid, "billRate": rate, "payRate": null,
                "overtimeBillRate": null, "overtimePayRate": rate, "computer": "c", "user": "u",
                "domain": text("corp"), "os": "linux", "osVersion": "6.1", "hwid": "hw", "createdAt": end,
                "updatedAt": end + late,
            });
            if is_asked_for {
                window["correctionId"] = json!(id(1));
            }
            let parts = parts.into_iter().map(|n| {
                json!({ "from": start + i64::from(n), "billRate": rate, "overtimeBillRate": null, "payRate": 1, "overtimePayRate": null })
            });
            window["rateParts"] = parts.collect();
            serde_json::from_value(window).expect("a window")
        })
    }

    fn any_stored() -> impl Strategy<Value = StoredWindow> {
        (any_window(), any::<bool>(), 1..9_i64, any::<u128>()).prop_map(|(window, voided, revision, hash)| {
            let new = StoredWindow::new(window, ContentHash(Uuid::from_u128(hash)));
            StoredWindow { voided, revision, ..new }
        })
    }

    proptest! {
        #[test]
        fn a_document_of_layout_1_becomes_what_is_written_in_layout_2(stored in any_stored()) {
            let (first, second) = (raw(&stored.laid_out(1)).unwrap(), raw(&stored.laid_out(2)).unwrap());
            prop_assert!(first.get("hash").unwrap().is_some() && second.get("hash").unwrap().is_none());
            let upgraded = WINDOWS.read::<RawDocumentBuf>(&first).unwrap();
            prop_assert_eq!(Document::try_from(&*upgraded).unwrap(), Document::try_from(&*second).unwrap());
            prop_assert_eq!(upgraded, second, "the order of the fields");
            // A bulk update stores a removed rate as null, in both layouts. Reading a document of
            // layout 1 must drop the null.
            let mut emptied = Document::try_from(&*first).unwrap();
            emptied.get_document_mut("window").unwrap().extend(bson::doc! { "billRate": null, "rateParts": [] });
            let without = Window { bill_rate: None, rate_parts: Vec::new(), ..stored.window.clone() };
            let without = raw(&StoredWindow { window: without, ..stored }.laid_out(2)).unwrap();
            let emptied = WINDOWS.read::<RawDocumentBuf>(&raw(&emptied).unwrap()).unwrap();
            prop_assert_eq!(Document::try_from(&*emptied).unwrap(), Document::try_from(&*without).unwrap());
        }

        #[test]
        fn a_window_says_the_same_in_either_layout(stored in any_stored()) {
            let [first, second] = [1, 2].map(|layout| raw(&stored.laid_out(layout)).unwrap());
            let of_first: StoredWindow = bson::deserialize_from_slice(first.as_bytes()).unwrap();
            prop_assert_eq!(&of_first, &stored);
            let of_second: StoredWindow = bson::deserialize_from_slice(second.as_bytes()).unwrap();
            prop_assert_eq!(&of_second, &StoredWindow { hash: None, layout: 2, ..stored.clone() });
            // While layout 1 is written, only a window that still has its hash is written in layout
            // 1 again.
            prop_assert_eq!(raw(&of_first.laid_out(1)).unwrap(), first);
            prop_assert_eq!(raw(&of_second.laid_out(1)).unwrap(), second);
        }

        #[test]
        fn layout_1_is_what_the_first_version_wrote(stored in any_stored()) {
            let document = Document::try_from(&*raw(&stored.laid_out(1)).unwrap()).unwrap();
            let as_then = bson::doc! {
                "_id": value(&stored.id), "revision": stored.revision, "hash": value(&stored.hash),
                "voided": stored.voided, "window": value(&stored.window),
            };
            prop_assert_eq!(document, as_then);
        }
    }
}
