// The shape of a core without effects, as a concept: coordinator and agent have the same one.
#pragma once

#include <concepts>

namespace baton {

// Decide(state, event) says what to make durable and what to do then, and changes nothing;
// Evolve(state, record) is the only way that state changes, live and in replay alike. States are
// values: a decision may be tried on a copy.
template <class State, class Event, class Record, class Decision>
concept DecidesAndEvolves = std::copyable<State> && requires(const State& now, const Event& event,
                                                             State& state, const Record& record) {
  { Decide(now, event) } -> std::same_as<Decision>;
  { Evolve(state, record) } -> std::same_as<void>;
};

}  // namespace baton
