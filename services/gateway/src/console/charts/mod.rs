//! Charts as SVG: numbers in, markup out. Each is a figure with a title, a sentence, and the same
//! numbers as a table. No texts stand inside the drawings, so that they may be of any width.

mod bars;
mod timeline;
mod year;

use maud::{Markup, html};

pub(super) use self::{
    bars::{Bar, bars},
    timeline::{Colours, Lane, Stretch, lanes},
    year::year,
};

/// A chart with all that it needs to be read by everybody.
#[derive(Debug)]
pub(super) struct Figure<'a> {
    /// What it shows.
    pub(super) title: &'a str,
    /// What is to be seen in it, in a sentence.
    pub(super) sentence: &'a str,
    /// The drawing.
    pub(super) drawing: Markup,
    /// The same numbers: a table.
    pub(super) table: Markup,
}

/// The figure.
pub(super) fn figure(figure: Figure<'_>) -> Markup {
    html! {
        figure {
            figcaption { strong { (figure.title) } (figure.sentence) }
            (figure.drawing)
            details {
                summary { "The same as a table" }
                div.wide tabindex="0" role="region" aria-label={ (figure.title) ", as a table" } { (figure.table) }
            }
        }
    }
}
