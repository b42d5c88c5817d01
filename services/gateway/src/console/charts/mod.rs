//! Charts as SVG, drawn by pure functions. Each chart has a title, a sentence, and its numbers as a
//! table. The drawings contain no text except tooltips, because text would be distorted when a
//! drawing is stretched.

mod bars;
mod timeline;
mod year;

use maud::{Markup, html};

pub(super) use self::{
    bars::{Bar, bars},
    timeline::{Colours, lanes},
    year::year,
};

/// A chart with its title, sentence and table.
#[derive(Debug)]
pub(super) struct Figure<'a> {
    /// The title of the chart.
    pub(super) title: &'a str,
    /// A sentence about what the chart shows.
    pub(super) sentence: &'a str,
    /// The drawing (SVG).
    pub(super) drawing: Markup,
    /// The numbers of the drawing as a table.
    pub(super) table: Markup,
}

/// Renders a chart as an HTML `figure`.
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
