//! How far proving is, on standard error: a bar on a terminal, lines elsewhere.

use std::io::{IsTerminal, Write};
use std::ops::ControlFlow;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use cpu_time::ProcessTime;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use zkvm_sdk::{Phase, Progress, ProvingCost};

use crate::flags::ShowProgress;
use crate::number::{bytes, grouped};
use crate::output::Output;
use crate::process;

/// Between two looks at a bar.
const BAR_EVERY: Duration = Duration::from_millis(200);
/// Between two lines.
const LINE_EVERY: Duration = Duration::from_secs(5);
/// Steps of a bar.
const STEPS: u64 = 1000;

/// Shows how far proving is until it is dropped.
#[derive(Debug)]
pub struct Reporter {
    state: Arc<Mutex<State>>,
    shower: Option<(Sender<()>, JoinHandle<()>)>,
}

/// How far proving is, and what it has taken.
#[derive(Clone, Copy, Debug)]
struct State {
    at: Option<Progress>,
    /// CPU seconds that proving is expected to take.
    cpu_expected: f64,
    /// CPU seconds when the last segment ended.
    cpu_at: f64,
    started: Instant,
    cpu_started: ProcessTime,
}

impl State {
    fn note(&mut self, at: Progress) {
        self.cpu_at = self.cpu_started.elapsed().as_secs_f64();
        self.at = Some(at);
    }

    /// The share that is done, from 0 to 1: by what segments took once one is proved, before by what
    /// was foretold.
    fn share(&self, cpu: f64) -> f64 {
        let proved = self.at.filter(|at| at.phase != Phase::Execute);
        let share = proved.map_or(0.0, |at| at.cycles as f64 / at.cycles_total.max(1) as f64);
        let expected = if share > 0.0 {
            self.cpu_at / share
        } else {
            self.cpu_expected
        };
        (cpu / expected.max(cpu).max(1e-9)).clamp(share.min(0.99), 0.99)
    }

    /// What it is at.
    fn doing(&self) -> String {
        let Some(at) = self.at else {
            return "executing".to_owned();
        };
        match at.phase {
            Phase::Execute => format!("executing  {} cycles", grouped(at.cycles)),
            Phase::Prove => {
                let number = (at.done + 1).min(at.of);
                format!("proving  segment {number} of {}", at.of)
            }
            Phase::Words => format!("proving  memory, part {} of {}", at.done, at.of),
        }
    }

    /// Percent, time left and memory.
    fn numbers(&self, share: f64) -> String {
        let mut text = format!("{:>2.0} %", 100.0 * share);
        if share > 0.01 {
            let left = self.started.elapsed().as_secs_f64() * (1.0 - share) / share;
            text.push_str(&format!("  {} left", minutes(left)));
        }
        if let Some(resident) = process::resident_bytes() {
            text.push_str(&format!("  {}", bytes(resident)));
        }
        text
    }
}

/// Seconds as people read them.
fn minutes(seconds: f64) -> String {
    let seconds = seconds.ceil() as u64;
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if hours > 0 {
        format!("{hours}:{minutes:02}:{seconds:02}")
    } else {
        format!("{minutes}:{seconds:02}")
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Reporter {
    /// Begins to show, if it is wanted, what takes as much as `cost` says.
    pub fn start(show: ShowProgress, cost: &ProvingCost, output: &Output) -> Self {
        let is_terminal = std::io::stderr().is_terminal();
        let is_shown = match show {
            ShowProgress::Auto => is_terminal && output.is_loud(),
            ShowProgress::Always => true,
            ShowProgress::Never => false,
        };
        let state = Arc::new(Mutex::new(State {
            at: None,
            cpu_expected: cost.seconds.total(),
            cpu_at: 0.0,
            started: Instant::now(),
            cpu_started: ProcessTime::now(),
        }));
        let shower = is_shown.then(|| {
            let (stop, stopped) = mpsc::channel();
            let seen = Arc::clone(&state);
            let thread = thread::spawn(move || {
                if is_terminal {
                    show_bar(&seen, &stopped);
                } else {
                    show_lines(&seen, &stopped);
                }
            });
            (stop, thread)
        });
        Reporter { state, shower }
    }

    /// Notes how far proving is.
    pub fn note(&self, at: Progress) -> ControlFlow<()> {
        lock(&self.state).note(at);
        ControlFlow::Continue(())
    }
}

impl Drop for Reporter {
    fn drop(&mut self) {
        if let Some((stop, thread)) = self.shower.take() {
            drop(stop);
            let _ = thread.join();
        }
    }
}

fn show_bar(state: &Mutex<State>, stopped: &mpsc::Receiver<()>) {
    let bar = ProgressBar::with_draw_target(Some(STEPS), ProgressDrawTarget::stderr());
    if let Ok(style) = ProgressStyle::with_template("{prefix:<26} [{bar:20}] {msg}") {
        bar.set_style(style.progress_chars("=> "));
    }
    loop {
        let state = *lock(state);
        let share = state.share(state.cpu_started.elapsed().as_secs_f64());
        bar.set_prefix(state.doing());
        bar.set_position((share * STEPS as f64) as u64);
        bar.set_message(state.numbers(share));
        if stopped.recv_timeout(BAR_EVERY) != Err(RecvTimeoutError::Timeout) {
            break;
        }
    }
    bar.finish_and_clear();
}

fn show_lines(state: &Mutex<State>, stopped: &mpsc::Receiver<()>) {
    loop {
        let state = *lock(state);
        let share = state.share(state.cpu_started.elapsed().as_secs_f64());
        let (doing, numbers) = (state.doing(), state.numbers(share));
        let _ = writeln!(std::io::stderr(), "{doing:<28} {numbers}");
        if stopped.recv_timeout(LINE_EVERY) != Err(RecvTimeoutError::Timeout) {
            break;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(phase: Phase, done: u32, cycles: u64, cpu_at: f64) -> State {
        State {
            at: Some(Progress {
                phase,
                done,
                of: 4,
                cycles,
                cycles_total: 400,
            }),
            cpu_expected: 10.0,
            cpu_at,
            started: Instant::now(),
            cpu_started: ProcessTime::now(),
        }
    }

    #[test]
    fn the_share_follows_what_was_foretold_until_a_segment_is_proved() {
        let first = state(Phase::Prove, 0, 0, 1.0);
        assert!((first.share(5.0) - 0.5).abs() < 1e-9);
        assert!(
            (first.share(50.0) - 0.99).abs() < 1e-9,
            "never done before it is"
        );
        // A quarter took 5 seconds, so all of it takes 20.
        let second = state(Phase::Prove, 1, 100, 5.0);
        assert!((second.share(10.0) - 0.5).abs() < 1e-9);
        assert!(second.doing().contains("segment 2 of 4"));
    }

    #[test]
    fn times_are_written_as_people_read_them() {
        assert_eq!(minutes(0.2), "0:01");
        assert_eq!(minutes(61.0), "1:01");
        assert_eq!(minutes(3723.0), "1:02:03");
    }
}
