// Parts of a plan as people read them, shared by the pages about plans.
#pragma once

#include <string>

#include "baton/v1/plan.pb.h"

namespace baton {

// Steps are numbered from 1.
std::string StepNumber(const v1::Step& step);
// "hq -> dr"; one site alone where nothing moves.
std::string Route(const v1::Plan& plan);
// "" until it has ended.
std::string PlanTook(const v1::Plan& plan);
// "2.4 s", "not known": of what was acknowledged last.
std::string LossWindow(const v1::AnnouncedLoss& loss);
// The longest of its announced losses; empty where none was announced.
std::string MostLost(const v1::Plan& plan);
// Its explanation, a line each, indented.
std::string ExplanationLines(const v1::Plan& plan);

}  // namespace baton
