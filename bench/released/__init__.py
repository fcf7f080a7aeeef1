"""Plain transcriptions of released training steps, in their order of work: what ours are timed against."""
