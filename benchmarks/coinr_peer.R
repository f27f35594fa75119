# COINr's own uncertainty analysis of the benchmark's 361 x 20 figures: Rscript coinr_peer.R FIGURES.csv REPLICATIONS
# Four pillars of five indicators and an index, z-scores and arithmetic means; every replication changes the weights.
library(COINr)

arguments <- commandArgs(trailingOnly = TRUE)
figures <- read.csv(arguments[1])
names(figures)[1] <- "uCode"
indicators <- names(figures)[-1]
pillars <- paste0("p", 1:4)

meta <- data.frame(
  Level = c(rep(1, length(indicators)), rep(2, 4), 3),
  iCode = c(indicators, pillars, "index"),
  Parent = c(pillars[(seq_along(indicators) - 1) %% 4 + 1], rep("index", 4), NA),
  Direction = 1,
  Weight = 1,
  Type = c(rep("Indicator", length(indicators)), rep("Aggregate", 5))
)
coin <- new_coin(figures, meta, level_names = c("Indicator", "Pillar", "Index"), quietly = TRUE)
coin <- Normalise(coin, dset = "Raw", global_specs = list(f_n = "n_zscore", f_n_para = list(c(50, 10))))
coin <- Aggregate(coin, dset = "Normalised", f_ag = "a_amean", w = "Original")

weights <- get_noisy_weights(
  w = coin$Meta$Weights$Original,
  noise_specs = data.frame(Level = 2, NoiseFactor = 0.25),
  Nrep = 100
)
uncertain <- list(Weights = list(Address = "$Log$Aggregate$w", Distribution = weights, Type = "discrete"))
get_sensitivity(
  coin,
  SA_specs = uncertain, N = as.integer(arguments[2]), SA_type = "UA",
  dset = "Aggregated", iCode = "index", quietly = TRUE, check_addresses = FALSE
)
