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
// Its explanation, a line each, indented.
std::string ExplanationLines(const v1::Plan& plan);

}  // namespace baton
