// The trace of a run, for other programs: durable records and what the oracle saw, one a line.
//
// A line is "NANOSECONDS WORD …", in the order in which things happened; names hold no blanks.
//   record SEQ plan-admitted PLAN KIND EPOCH_BEFORE EPOCH UNDO_EPOCH
//   step PLAN INDEX ACTION HOST/RESOURCE forward|undo AFTER      with its plan; AFTER: "0,2" or "-"
//   record SEQ epoch-raised PLAN EPOCH
//   record SEQ step-started PLAN INDEX ATTEMPT
//   record SEQ step-finished PLAN INDEX ATTEMPT CODE REASON|- POSITION|-
//   record SEQ plan-waiting|plan-resumed|plan-paused|abort-started|undo-started PLAN
//   record SEQ step-skipped PLAN INDEX
//   record SEQ plan-ended PLAN STATE
//   record SEQ return-noted PLAN HOST answers|silent|taken-for-lost|awaited|stayed-away
//   record SEQ return-fenced HOST/RESOURCE EPOCH                 who came back, seen by any plan
//   record SEQ ledger-accepted HOST LEDGER
//   record SEQ other                                             a topology: belongs to no plan
//   sent COMMAND EPOCH                                           by the coordinator
//   act COMMAND ACTION HOST/RESOURCE EPOCH                       a runner begins
//   acted COMMAND CODE POSITION|-                                and ends
//   fence HOST/RESOURCE PHASE FENCE_EPOCH WRITE_EPOCH|-          durable in its file
//   gate HOST/RESOURCE VERDICT                                   before a server starts
//   writable HOST/RESOURCE yes|no                                able to write, whatever it should
//   promoted HOST/RESOURCE POSITION
//   acknowledged MESSAGE HOST/RESOURCE
//   fault KIND HOST                                              something goes wrong
//   mended                                                       everything, at the end
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "coordinator/executor/record.h"

namespace baton::sim {

std::vector<std::string> TraceRecord(const Record& record);
std::string TracePosition(const std::optional<LogPosition>& position);

}  // namespace baton::sim
