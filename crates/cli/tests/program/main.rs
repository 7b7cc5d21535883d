//! The program itself, as it is called from a terminal or a pipeline.

#[cfg(test)]
mod commands;
#[cfg(test)]
mod dev;
#[cfg(test)]
mod explain;
